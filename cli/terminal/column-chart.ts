/** Column charts for the terminal. */
import { percent } from "./format.ts";

const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const labelWidth = 7;

/**
 * A chart with a logarithmic axis: each row is a power of ten.
 *
 * @param values 0 and above, from left to right; null is drawn as "!". If there are more values than columns, a column
 *   shows the largest of several
 * @param width columns of the terminal
 * @param mark a value, such as a tolerance, whose row gets a dashed line
 */
export function logChart(values: readonly (number | null)[], width: number, mark: number): string[] {
  const heights = inColumns(values, width).map((group) =>
    group.includes(null) ? null : Math.log10(Math.max(...group.map((value) => value ?? 0))),
  );
  const shown = heights.filter((height) => height !== null && Number.isFinite(height)) as number[];
  const markRow = Math.ceil(Math.log10(mark)) - 1;
  const top = Math.max(markRow, ...shown.map((height) => Math.floor(height)));
  const bottom = Math.min(markRow, ...shown.map((height) => Math.floor(height)));
  const rows: string[] = [];
  for (let decade = top; decade >= bottom; decade--) {
    const cells = heights.map((height) => (height === null ? "!" : cell(height - decade)));
    const line = decade === markRow ? "╌" : " ";
    rows.push(labelled(`1e${decade}`, cells.join("").replaceAll(" ", line)));
  }
  return rows;
}

const tenths = 10;

/**
 * A chart of fractions: each row is a tenth. Rows above the largest and below the smallest value are left out.
 *
 * @param values from left to right. If there are more values than columns, a column shows the largest of several
 * @param width columns of the terminal
 */
export function linearChart(values: readonly number[], width: number): string[] {
  const heights = inColumns(values, width).map((group) => Math.max(...group) * tenths);
  const rowOf = (height: number): number => Math.min(Math.max(Math.floor(height), 0), tenths - 1);
  const [bottom, top] = [rowOf(Math.min(...heights)), rowOf(Math.max(...heights))];
  const columnWidth = Math.min(3, Math.max(1, Math.floor((width - labelWidth - 1) / heights.length)));
  const gap = columnWidth > 1 ? " " : "";
  const rows: string[] = [];
  for (let row = top; row >= bottom; row--) {
    const cells = heights.map((height) => cell(height - row).repeat(columnWidth - gap.length) + gap);
    rows.push(labelled(percent(row / tenths), cells.join("").trimEnd()));
  }
  return rows;
}

/**
 * A chart of any values, between the smallest and the largest of the columns, such as a loss.
 *
 * @param values from left to right. If there are more values than columns, a column shows the mean of several
 * @param width columns of the terminal
 */
export function rangeChart(values: readonly number[], width: number, rows = 8): string[] {
  const columns = inColumns(values, width).map(
    (group) => group.reduce((sum, value) => sum + value, 0) / group.length,
  );
  const [least, most] = [Math.min(...columns), Math.max(...columns)];
  if (!(most > least)) return [];
  const distance = (most - least) / rows;
  return Array.from({ length: rows }, (_, i) => {
    const bottom = least + (rows - 1 - i) * distance;
    return labelled(
      bottom.toPrecision(3),
      columns
        .map((value) => cell((value - bottom) / distance))
        .join("")
        .trimEnd(),
    );
  });
}

/** The values of each column, from left to right. */
function inColumns<T>(values: readonly T[], width: number): T[][] {
  const columns = Math.max(1, Math.min(values.length, width - labelWidth - 1));
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / columns));
    return values.slice(from, to);
  });
}

/** One character of a column, for its height above the row's lower edge. A height just above the edge is still visible. */
function cell(height: number): string {
  const filled = Math.round(Math.min(Math.max(height, 0), 1) * 8);
  return eighths[height >= 0 ? Math.max(filled, 1) : 0]!;
}

function labelled(label: string, row: string): string {
  return `${label.padStart(labelWidth - 1)} ┤${row}`;
}
