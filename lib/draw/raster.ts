/** Small raster images, drawn from numbers. */
import { position, type Scale } from "./scale.ts";

/** Red, green and blue, 0 to 255 each. */
export type Color = readonly [red: number, green: number, blue: number];

/** An RGB image. */
export class Raster {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], 0 to 255, from the top */
  readonly rgb: Uint8ClampedArray;

  /** @param gray the value of all pixels */
  constructor(width: number, height: number, gray = 255) {
    this.width = width;
    this.height = height;
    this.rgb = new Uint8ClampedArray(width * height * 3).fill(gray);
  }

  /** Sets each pixel to a function of its position. */
  paint(color: (x: number, y: number) => Color): this {
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) this.rgb.set(color(x, y), (y * this.width + x) * 3);
    }
    return this;
  }

  /** A copy with each pixel enlarged to a square of `factor` pixels. */
  enlarged(factor: number): Raster {
    const large = new Raster(this.width * factor, this.height * factor);
    for (let y = 0, to = 0; y < large.height; y++) {
      for (let x = 0; x < large.width; x++, to += 3) {
        const from = (Math.floor(y / factor) * this.width + Math.floor(x / factor)) * 3;
        for (let c = 0; c < 3; c++) large.rgb[to + c] = this.rgb[from + c]!;
      }
    }
    return large;
  }

  /** The colour of a pixel. */
  at(x: number, y: number): [number, number, number] {
    const from = (y * this.width + x) * 3;
    return [this.rgb[from]!, this.rgb[from + 1]!, this.rgb[from + 2]!];
  }
}

/** Arranges images in a grid of equal cells with white gaps. */
export function grid(images: readonly Raster[], columns: number, gap = 2): Raster {
  const largest = (side: "width" | "height"): number =>
    images.reduce((most, image) => Math.max(most, image[side]), 0);
  const [width, height] = [largest("width"), largest("height")];
  const rows = Math.ceil(images.length / columns);
  const sheet = new Raster(columns * (width + gap) - gap, rows * (height + gap) - gap);
  for (const [i, image] of images.entries()) {
    const [left, top] = [(i % columns) * (width + gap), Math.floor(i / columns) * (height + gap)];
    place(image, sheet, left, top);
  }
  return sheet;
}

/** Every eighth of matplotlib's viridis: from dark blue to yellow, perceptually uniform. */
const viridis = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** A number from 0 to 1 as a colour. */
export function heat(value: number): [number, number, number] {
  const at = Math.min(Math.max(value, 0), 1) * (viridis.length - 1);
  const below = Math.min(Math.floor(at), viridis.length - 2);
  const part = at - below;
  const [from, to] = [viridis[below]!, viridis[below + 1]!];
  return [
    from[0] + (to[0] - from[0]) * part,
    from[1] + (to[1] - from[1]) * part,
    from[2] + (to[2] - from[2]) * part,
  ];
}

/** A number from 0 to 1 as a colour: blue below ½, white at ½, orange above. For numbers whose sign matters. */
export function diverging(value: number): [number, number, number] {
  const signed = 2 * Math.min(Math.max(value, 0), 1) - 1;
  const end = signed < 0 ? blue : orange;
  return end.map((channel) => 255 + (channel - 255) * Math.abs(signed)) as [number, number, number];
}

/** Distinguishable with any colour vision. */
const blue = [33, 102, 172] as const;
const orange = [217, 95, 2] as const;

/** A number from 0 to 1 as a colour. */
export type ColorMap = (value: number) => Color;

/** Finer than a level of 255 for any map here, whose channels change by at most 640 from 0 to 1. */
export const tableSize = 2048;
const tables = new WeakMap<ColorMap, Float32Array>();

/** The colours of `tableSize` evenly spaced numbers from 0 to 1, [tableSize, 3]: for maps of many pixels. */
export function colorTable(map: ColorMap): Float32Array {
  let table = tables.get(map);
  if (table === undefined) {
    table = new Float32Array(3 * tableSize);
    for (let i = 0; i < tableSize; i++) table.set(map(i / (tableSize - 1)), 3 * i);
    tables.set(map, table);
  }
  return table;
}

/** Draws a grid of numbers. @param scale the numbers of the first and the last colour */
export function heatMap(
  values: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  scale: Scale,
  color: ColorMap = heat,
): Raster {
  return new Raster(columns, rows).paint((x, y) => color(position(values[y * columns + x]!, scale)));
}

/** Stacks images from top to bottom, from the left edge, on white. */
export function stacked(images: readonly Raster[]): Raster {
  const sheet = new Raster(
    images.reduce((most, { width }) => Math.max(most, width), 0),
    images.reduce((sum, { height }) => sum + height, 0),
  );
  let top = 0;
  for (const image of images) {
    place(image, sheet, 0, top);
    top += image.height;
  }
  return sheet;
}

export function place(image: Raster, sheet: Raster, left: number, top: number): void {
  for (let y = 0; y < image.height; y++) {
    const line = image.rgb.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    sheet.rgb.set(line, ((top + y) * sheet.width + left) * 3);
  }
}

/** Where a pixel lies between the centres of two cells. */
export interface Sample {
  readonly from: number;
  readonly to: number;
  /** Of the cell `to`, 0 to 1. */
  readonly share: number;
}

/** For each of `pixels` along an axis of `cells`: the two cells whose numbers it interpolates linearly. */
export function samplesAlong(pixels: number, cells: number): Sample[] {
  return Array.from({ length: pixels }, (_, pixel) => {
    const at = Math.min(Math.max(((pixel + 0.5) / pixels) * cells - 0.5, 0), cells - 1);
    const from = Math.floor(at);
    return { from, to: Math.min(from + 1, cells - 1), share: at - from };
  });
}
