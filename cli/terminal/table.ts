/** Text for terminals, measured in columns: Chinese, Japanese and Korean take two each. */
import stringWidth from "string-width";

/** Fills up with spaces to a width in columns, or cuts off with "…". */
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

/** Fills up with spaces to a width in columns, or leaves out the beginning: where a name's end tells names apart. */
export function fitEnd(text: string, width: number): string {
  return text.length > width ? `…${text.slice(text.length - width + 1)}` : text.padEnd(width);
}

export function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, stringWidth(text)), 0);
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of at most `width` columns for a fraction, 0…1, in eighths of a column. */
export function bar(fraction: number, width: number): string {
  const length = Math.round(Math.min(Math.max(fraction, 0), 1) * width * 8);
  return "█".repeat(Math.floor(length / 8)) + eighths[length % 8]!;
}

/** Control characters as escapes: a file name must not move the cursor. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** "93.2%"; a dash for what is not defined. */
export function percent(fraction: number | undefined): string {
  return fraction === undefined ? "–" : `${(100 * fraction).toFixed(1)}%`;
}
