/** The size of labels. SVG cannot measure texts, so widths are estimated, rather too large than too small. */
import stringWidth from "string-width";
import { fontSize } from "./svg.ts";

/** The width of a letter in proportion to the font size, by the columns that it takes in a terminal. */
const letterWidths = [0, 0.62, 1];

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function lettersOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** An estimate of a text's width in pixels. */
export function textWidth(text: string, size = fontSize): number {
  const widths = lettersOf(text).map((letter) => letterWidths[Math.min(stringWidth(letter), 2)]!);
  return size * widths.reduce((sum, width) => sum + width, 0);
}

/**
 * A text that is at most `width` pixels wide, ended with "…" where it is cut. It is isolated from its surroundings, so
 * that the ellipsis follows the last letter in scripts that are written from right to left, too.
 */
export function fitText(text: string, width: number, size = fontSize): string {
  let cut = text;
  if (textWidth(text, size) > width) {
    const letters = lettersOf(text);
    while (letters.length > 1 && textWidth(`${letters.join("")}…`, size) > width) letters.pop();
    cut = `${letters.join("").trimEnd()}…`;
  }
  return `\u{2068}${cut}\u{2069}`;
}
