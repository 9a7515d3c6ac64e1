/** A contact sheet: the images of results in a grid, with their rank and similarity. */
import { grid, place, Raster } from "../../draw/raster.ts";
import { lineHeight, rasterText } from "../../draw/raster-text.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Found } from "../../retrieval/result-text.ts";
import { thumbnail } from "../images/thumbnail.ts";
import { imageOfRow } from "./row-image.ts";

/** Cells of a sheet, at most: an image of about 1,100 × 2,500 pixels. */
const mostImages = 96;
const columns = 6;
const side = 176;

export class ContactSheet {
  readonly #base: string | null;
  readonly #cells: Raster[] = [];
  #left = 0;

  /** @param base the folder that relative paths start from */
  constructor(base: string | null) {
    this.#base = base;
  }

  /** Adds the next result. An image that cannot be read gives a cell with its path. Those beyond the most are counted. */
  async add({ id, path, similarity, metadata, title }: Found): Promise<void> {
    if (this.#cells.length === mostImages) {
      this.#left += 1;
      return;
    }
    const cell = new Raster(side, side + lineHeight);
    const source = imageOfRow(metadata, this.#base ?? ".");
    try {
      if (source === null) throw new InputError("no path");
      const image = await thumbnail(source, side);
      place(image, cell, (side - image.width) >> 1, (side - image.height) >> 1);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      place(rasterText(path ?? `row ${id}`, side), cell, 0, 0);
    }
    const text = title ?? `${this.#cells.length + 1}  ${similarity.toFixed(4)}`;
    place(rasterText(text, side), cell, 0, side);
    this.#cells.push(cell);
  }

  draw(): Raster {
    if (this.#cells.length === 0) return rasterText("no results", side);
    const sheet = grid(this.#cells, Math.min(columns, this.#cells.length), 8);
    if (this.#left === 0) return sheet;
    const note = rasterText(`and ${this.#left} more`, sheet.width);
    const whole = new Raster(sheet.width, sheet.height + note.height);
    place(sheet, whole, 0, 0);
    place(note, whole, 0, sheet.height);
    return whole;
  }
}
