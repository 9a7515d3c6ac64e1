/** Tables for terminals, measured in columns: Chinese, Japanese and Korean characters take two each. */
import stringWidth from "string-width";

export interface Column {
  readonly title?: string;
  /** Default: left. */
  readonly align?: "left" | "right";
  /** Where the table is wider than the terminal, cut this column's texts: at the end, or at the start. */
  readonly cut?: "end" | "start";
  /** Where the table is wider than the terminal, leave this column out, starting with the last such column. */
  readonly optional?: boolean;
}

export interface Table {
  /** The titles of the columns. */
  readonly head: string;
  readonly rows: string[];
  /** The indices of the columns that are left out. */
  readonly leftOut: number[];
}

export interface TableOptions {
  /** Columns of the terminal. Default: unlimited. */
  readonly width?: number;
  /** Spaces between columns. Default: 2. */
  readonly gap?: number;
}

const shortestCut = 8;

/**
 * Lays out rows of cells. A row that is shorter than the list of columns is a remark: its last cell is not padded and
 * does not widen its column. A column without any text takes no space.
 */
export function layOutTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width = Infinity, gap = 2 }: TableOptions = {},
): Table {
  const titles = columns.map(({ title = "" }) => title);
  const widths = columns.map((_, i) =>
    widest([titles[i]!, ...rows.flatMap((row) => (isRemark(row, i, columns.length) ? [] : (row[i] ?? "")))]),
  );
  const total = (): number => {
    const used = widths.filter((columnWidth) => columnWidth > 0);
    return used.reduce((sum, columnWidth) => sum + columnWidth, 0) + gap * Math.max(0, used.length - 1);
  };
  const leftOut: number[] = [];
  for (let i = columns.length - 1; i >= 0 && total() > width; i--) {
    if (columns[i]!.optional !== true || widths[i] === 0) continue;
    widths[i] = 0;
    leftOut.unshift(i);
  }
  const flexible = columns.findIndex(({ cut }) => cut !== undefined);
  if (flexible !== -1 && total() > width) {
    const rest = total() - widths[flexible]!;
    widths[flexible] = Math.min(widths[flexible]!, Math.max(shortestCut, width - rest));
  }
  const line = (cells: readonly string[]): string => {
    const parts = cells.flatMap((text, i) => {
      if (isRemark(cells, i, columns.length)) return text;
      return widths[i] === 0 ? [] : padded(text, widths[i]!, columns[i]!);
    });
    return parts.join(" ".repeat(gap)).trimEnd();
  };
  return { head: line(titles), rows: rows.map(line), leftOut };
}

function isRemark(row: readonly string[], i: number, columns: number): boolean {
  return row.length < columns && i === row.length - 1;
}

function padded(text: string, width: number, { align, cut }: Column): string {
  const missing = width - stringWidth(text);
  if (missing < 0) return cut === "start" ? fitStart(text, width) : fit(text, width);
  return align === "right" ? " ".repeat(missing) + text : text + " ".repeat(missing);
}

/** Names and values in two columns; an entry without a value takes a whole line. */
export function layOutFields(fields: readonly (readonly [name: string, value?: string])[]): string[] {
  return layOutTable([{}, {}], fields as readonly (readonly string[])[]).rows;
}

/** Pads with spaces to a width in columns, or cuts the end off and puts "…" there. */
export function fit(text: string, width: number): string {
  const missing = width - stringWidth(text);
  if (missing >= 0) return text + " ".repeat(missing);
  let cut = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (stringWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return `${cut}…${" ".repeat(Math.max(0, width - 1 - stringWidth(cut)))}`;
}

/** Cuts the start off: for names that differ at their end. */
function fitStart(text: string, width: number): string {
  return `…${text.slice(text.length - width + 1)}`;
}

export function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, stringWidth(text)), 0);
}
