/** Small raster images, drawn from numbers. */

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
    return new Raster(this.width * factor, this.height * factor).paint((x, y) =>
      this.at(Math.floor(x / factor), Math.floor(y / factor)),
    );
  }

  /** The colour of a pixel. */
  at(x: number, y: number): [number, number, number] {
    const from = (y * this.width + x) * 3;
    return [this.rgb[from]!, this.rgb[from + 1]!, this.rgb[from + 2]!];
  }
}

/** Arranges images of one size in a grid with white gaps. */
export function grid(images: readonly Raster[], columns: number, gap = 2): Raster {
  const { width, height } = images[0]!;
  const rows = Math.ceil(images.length / columns);
  const sheet = new Raster(columns * (width + gap) - gap, rows * (height + gap) - gap);
  for (const [i, image] of images.entries()) {
    const [left, top] = [(i % columns) * (width + gap), Math.floor(i / columns) * (height + gap)];
    for (let y = 0; y < height; y++) {
      const line = image.rgb.subarray(y * width * 3, (y + 1) * width * 3);
      sheet.rgb.set(line, ((top + y) * sheet.width + left) * 3);
    }
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
  return [0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * part) as [number, number, number];
}

/** Draws a grid of numbers, from dark for the smallest to bright for the largest. */
export function heatMap(values: ArrayLike<number>, rows: number, columns: number): Raster {
  const scaled = toUnit(values);
  return new Raster(columns, rows).paint((x, y) => heat(scaled[y * columns + x]!));
}

/** Rescales values so that the smallest becomes 0 and the largest 1. */
export function toUnit(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const low = list.reduce((a, b) => Math.min(a, b), Infinity);
  const high = list.reduce((a, b) => Math.max(a, b), -Infinity);
  return list.map((value) => (high > low ? (value - low) / (high - low) : 0));
}

/** Interpolates a grid of numbers bilinearly; (0, 0) is the centre of the first cell. */
export function bilinear(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  x: number,
  y: number,
): number {
  const clampedX = Math.min(Math.max(x, 0), columns - 1);
  const clampedY = Math.min(Math.max(y, 0), rows - 1);
  const [left, top] = [Math.floor(clampedX), Math.floor(clampedY)];
  const [right, bottom] = [Math.min(left + 1, columns - 1), Math.min(top + 1, rows - 1)];
  const [u, v] = [clampedX - left, clampedY - top];
  const upper = values[top * columns + left]! * (1 - u) + values[top * columns + right]! * u;
  const lower = values[bottom * columns + left]! * (1 - u) + values[bottom * columns + right]! * u;
  return upper * (1 - v) + lower * v;
}
