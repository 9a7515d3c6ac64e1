/** Text on raster images. */
import { glyphAdvance, glyphHeight, isInked } from "./glyphs.ts";
import { Raster } from "./raster.ts";

/** Each pixel of a letter is a square of this size. */
const dot = 2;
/** Above, below and beside a text. */
const margin = 4;

/** Height of a line of text with its margins. */
export const lineHeight = glyphHeight * dot + 2 * margin;

/** The width of a text with its margins. */
export function rasterTextWidth(text: string): number {
  return text.length * glyphAdvance * dot - dot + 2 * margin;
}

/**
 * Lines of black text on white, broken at spaces to fit. ASCII only: other characters become "?".
 *
 * @param width of the image; a word that is longer is cut
 */
export function rasterText(text: string, width: number): Raster {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)!} ${word}`;
    if (lines.length === 0 || rasterTextWidth(longer) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const raster = new Raster(width, lines.length * (lineHeight - margin) + margin);
  for (const [i, line] of lines.entries()) drawLine(raster, line, margin, margin + i * (lineHeight - margin));
  return raster;
}

/** Draws one line into an image. @param left @param top of the first letter, in pixels */
export function drawLine(raster: Raster, text: string, left: number, top: number): void {
  for (const [i, letter] of Array.from(text).entries()) {
    for (let y = 0; y < glyphHeight * dot; y++) {
      for (let x = 0; x < glyphAdvance * dot; x++) {
        const at = left + i * glyphAdvance * dot + x;
        const inside = at >= 0 && at < raster.width && top + y >= 0 && top + y < raster.height;
        if (inside && isInked(letter, Math.floor(x / dot), Math.floor(y / dot))) {
          raster.rgb.fill(0, ((top + y) * raster.width + at) * 3, ((top + y) * raster.width + at + 1) * 3);
        }
      }
    }
  }
}
