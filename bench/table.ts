/** Tables of measurements: plain values in result files, aligned text on a terminal, Markdown in the docs. */

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

export interface Column {
  /** The key of its values in each row. */
  readonly key: string;
  readonly title: string;
  /** Significant digits of numbers. Default: 3. */
  readonly digits?: number;
}

export interface Table {
  /** Its name in the result file. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Explains columns whose titles are too short to be clear. */
  readonly legend?: string;
}

export function terminalTable({ title, columns, rows, legend }: Table): string {
  const lines = cells(columns, rows);
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  const isText = columns.map(({ key }) => isTextColumn(rows, key));
  const text = lines.map((line) =>
    line
      .map((cell, at) => (isText[at] === true ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join("  ")
      .trimEnd(),
  );
  const below = legend === undefined ? [] : [`(${legend})`];
  return [title, ...text, ...below].map((line, at) => `${at === 0 ? "" : "  "}${line}\n`).join("");
}

export function markdownTable({ columns, rows }: Table): string {
  const [head = [], ...body] = cells(columns, rows);
  const rule = columns.map(({ key }) => (isTextColumn(rows, key) ? "---" : "---:"));
  return [head, rule, ...body].map((line) => `| ${line.join(" | ")} |\n`).join("");
}

/** The header and the rows as text. */
function cells(columns: readonly Column[], rows: readonly Row[]): string[][] {
  return [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ key, digits }) => cellText(row[key] ?? null, digits))),
  ];
}

export function cellText(cell: Cell, digits = 3): string {
  if (cell === null) return "";
  if (typeof cell === "string") return cell;
  if (Number.isInteger(cell)) return String(cell);
  if (Math.abs(cell) < 1e-3) return cell.toExponential(digits - 1);
  // toPrecision alone would give 1.23e+4.
  const rounded = Number(cell.toPrecision(digits));
  return rounded.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded)))));
}

function isTextColumn(rows: readonly Row[], key: string): boolean {
  return rows.some((row) => typeof row[key] === "string");
}
