/** Predictions as CSV (RFC 4180): path, predicted class, and the probability of each class in the probe's order. */
import { best } from "../tasks/confusions.ts";
import type { ProbabilityBlock } from "./predict.ts";

/** The line of titles. */
export function csvTitles(classNames: readonly string[]): string {
  return line(["path", "prediction", ...classNames]);
}

/** Texts of at least this many characters are written at once. */
const chunkSize = 2 ** 16;

/** A line for each row, several lines in a text. Probabilities have seven digits, the precision of float32. */
export function* csvRows(
  classNames: readonly string[],
  { paths, probabilities }: ProbabilityBlock,
): Generator<string, void, undefined> {
  const classes = classNames.length;
  const names = classNames.map(quoted);
  let text = "";
  for (const [i, path] of paths.entries()) {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const cells = Array.from(row, (probability) => Number(probability.toPrecision(7)));
    text += `${quoted(path)},${names[best(row)]},${cells.join(",")}\r\n`;
    if (text.length < chunkSize) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

function line(cells: readonly string[]): string {
  return `${cells.map(quoted).join(",")}\r\n`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
