/** Predictions as CSV (RFC 4180): path, predicted class, and the probability of each class in the probe's order. */
import { best } from "./evaluate.ts";
import type { ProbabilityBlock } from "./predict.ts";

/** The line of titles. */
export function csvTitles(classNames: readonly string[]): string {
  return line(["path", "prediction", ...classNames]);
}

/** A line for each row. Probabilities have seven digits, the precision of float32. */
export function csvRows(classNames: readonly string[], { paths, probabilities }: ProbabilityBlock): string {
  const classes = classNames.length;
  const names = classNames.map(quoted);
  let text = "";
  for (const [i, path] of paths.entries()) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    text += `${quoted(path)},${names[best(row)]}`;
    for (const probability of row) text += `,${Number(probability.toPrecision(7))}`;
    text += "\r\n";
  }
  return text;
}

function line(cells: readonly string[]): string {
  return `${cells.map(quoted).join(",")}\r\n`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
