/**
 * Results as the CSV file that CLIP_benchmark's `build` writes: a row for each result, a column for each figure and each
 * key, and `model_fullname`. Its columns come in a different order each time; here the order is fixed.
 *
 * Source: CLIP_benchmark, cli.py, main_build; Python's csv module.
 */
import type { ResultRecord } from "../record.ts";

/** Figures in the order of their columns; recall@k and others come by name behind them. */
const figures = ["acc1", "acc5", "mean_per_class_recall", "mean_average_precision"];
const keys = ["dataset", "model", "pretrained", "task", "language", "classnames", "templates", "partial"];

/** A line for the titles, and one for each result. An undefined figure is an empty field. */
export function benchmarkCsv(records: readonly ResultRecord[]): string {
  const rows = records.map(({ metrics, ...rest }): Record<string, unknown> => ({
    ...metrics,
    ...rest,
    model_fullname: `${rest.model} ${rest.pretrained}`,
  }));
  const used = new Set(rows.flatMap((row) => Object.keys(row)));
  const others = [...used].filter((name) => !keys.includes(name) && !figures.includes(name) && name !== last);
  const columns = [...figures, ...others.toSorted(byNameAndNumber), ...keys, last].filter((name) =>
    used.has(name),
  );
  const lines = [columns, ...rows.map((row) => columns.map((name) => field(row[name])))];
  return lines.map((fields) => `${fields.map(quoted).join(",")}\r\n`).join("");
}

const last = "model_fullname";

/** recall@5 before recall@10. */
function byNameAndNumber(a: string, b: string): number {
  const [[nameA, kA], [nameB, kB]] = [a, b].map((name) => name.split("@")) as [string[], string[]];
  if (nameA !== nameB) return nameA! < nameB! ? -1 : 1;
  return Number(kA) - Number(kB);
}

/** A value as Python writes it. */
function field(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  return python(value);
}

function python(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return pythonString(value);
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, one]) => `${pythonString(key)}: ${python(one)}`);
    return `{${entries.join(", ")}}`;
  }
  return typeof value === "number" ? String(value) : "None";
}

/** Python's repr: in single quotes, unless only these occur in it. */
function pythonString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
