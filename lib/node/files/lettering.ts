/** Text on rasters, in the bitmap font that jimp brings along: no font of the system is needed, or found wanting. */
import { Jimp, loadFont, measureText, measureTextHeight } from "jimp";
import { SANS_10_BLACK, SANS_14_BLACK } from "jimp/fonts";
import type { Color, Raster } from "../../draw/raster.ts";

export interface LetteringOptions {
  /** Default: black. */
  readonly color?: Color;
  /** Read from bottom to top. Default: from left to right. */
  readonly turned?: boolean;
}

export class Lettering {
  readonly #font: Awaited<ReturnType<typeof loadFont>>;

  private constructor(font: Awaited<ReturnType<typeof loadFont>>) {
    this.#font = font;
  }

  /** @param size of the font, in pixels */
  static async load(size: 10 | 14): Promise<Lettering> {
    return new Lettering(await loadFont(size === 10 ? SANS_10_BLACK : SANS_14_BLACK));
  }

  get height(): number {
    return measureTextHeight(this.#font, "x", 1000);
  }

  width(text: string): number {
    return Math.ceil(measureText(this.#font, text));
  }

  /** Whether the font has all the letters: it has ASCII's. */
  has(text: string): boolean {
    return Array.from(text).every((letter) => letter in this.#font.chars);
  }

  /** Writes a line. (x, y) is the corner of its box, turned or not, at the top left. */
  write(
    raster: Raster,
    text: string,
    x: number,
    y: number,
    { color = [0, 0, 0], turned = false }: LetteringOptions = {},
  ): void {
    const [width, height] = [this.width(text) + 1, this.height];
    const line = new Jimp({ width, height, color: 0 });
    line.print({ font: this.#font, x: 0, y: 0, text });
    const { data } = line.bitmap;
    for (let v = 0; v < height; v++) {
      for (let u = 0; u < width; u++) {
        const strength = data[(v * width + u) * 4 + 3]! / 255;
        if (strength === 0) continue;
        if (turned) raster.blend(x + v, y + width - 1 - u, color, strength);
        else raster.blend(x + u, y + v, color, strength);
      }
    }
  }
}
