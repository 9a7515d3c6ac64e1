/** A column chart of logarithms for the terminal. */

const eighths = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const labelWidth = 7;

/**
 * Columns from left to right, powers of ten from bottom to top: each row of the chart is a decade.
 *
 * @param values 0 and above; several share a column where columns are few (the largest is shown), null is a "!"
 * @param width columns of the terminal
 * @param mark a value whose decade is drawn through: a tolerance
 */
export function logPlot(values: readonly (number | null)[], width: number, mark: number): string[] {
  const columns = Math.max(1, Math.min(values.length, width - labelWidth - 1));
  const heights = Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / columns));
    const group = values.slice(from, to);
    return group.includes(null) ? null : Math.log10(Math.max(...group.map((value) => value ?? 0)));
  });
  const shown = heights.filter((height) => height !== null && Number.isFinite(height)) as number[];
  const markRow = Math.ceil(Math.log10(mark)) - 1;
  const top = Math.max(markRow, ...shown.map((height) => Math.floor(height)));
  const bottom = Math.min(markRow, ...shown.map((height) => Math.floor(height)));
  const rows: string[] = [];
  for (let decade = top; decade >= bottom; decade--) {
    const cells = heights.map((height) => {
      if (height === null) return "!";
      const filled = Math.round(Math.min(Math.max(height - decade, 0), 1) * 8);
      // A value just above a row's lower edge is still to be seen.
      return eighths[height >= decade ? Math.max(filled, 1) : 0]!;
    });
    const line = decade === markRow ? "╌" : " ";
    const label = `1e${decade}`.padStart(labelWidth - 1);
    rows.push(`${label} ┤${cells.join("").replaceAll(" ", line)}`);
  }
  return rows;
}
