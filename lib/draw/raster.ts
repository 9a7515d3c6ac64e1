/** Small pictures, made of numbers: enough to show what a network does, and no more. Runs in a browser too. */

export type Color = readonly [red: number, green: number, blue: number];

/** Rows of RGB pixels, from the top. */
export class Raster {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], 0 to 255 */
  readonly rgb: Uint8ClampedArray;

  /** Filled with one gray. */
  constructor(width: number, height: number, gray = 255) {
    this.width = width;
    this.height = height;
    this.rgb = new Uint8ClampedArray(width * height * 3).fill(gray);
  }

  /** Sets every pixel to what a function of its position says. */
  paint(color: (x: number, y: number) => Color): this {
    for (let y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) this.rgb.set(color(x, y), (y * this.width + x) * 3);
    }
    return this;
  }

  /** Fills a rectangle. */
  fill(left: number, top: number, width: number, height: number, color: Color): void {
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) this.blend(x, y, color, 1);
    }
  }

  /** A line with round ends, smooth. */
  line(fromX: number, fromY: number, toX: number, toY: number, thickness: number, color: Color): void {
    const [dx, dy] = [toX - fromX, toY - fromY];
    const squared = dx * dx + dy * dy;
    const around = thickness / 2 + 1;
    const [left, right] = [Math.min(fromX, toX) - around, Math.max(fromX, toX) + around];
    const [top, bottom] = [Math.min(fromY, toY) - around, Math.max(fromY, toY) + around];
    for (let y = Math.floor(top); y <= bottom; y++) {
      for (let x = Math.floor(left); x <= right; x++) {
        const along = squared === 0 ? 0 : ((x - fromX) * dx + (y - fromY) * dy) / squared;
        const part = Math.min(Math.max(along, 0), 1);
        const distance = Math.hypot(x - fromX - part * dx, y - fromY - part * dy);
        this.blend(x, y, color, Math.min(Math.max(thickness / 2 + 0.5 - distance, 0), 1));
      }
    }
  }

  /** Mixes a colour into a pixel; what lies outside is left out. @param strength 0 to 1 */
  blend(x: number, y: number, color: Color, strength: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y * this.width + x) * 3;
    for (const [i, part] of color.entries()) {
      this.rgb[at + i] = this.rgb[at + i]! + (part - this.rgb[at + i]!) * strength;
    }
  }

  /** Each pixel as a square of `factor` pixels. */
  enlarged(factor: number): Raster {
    return new Raster(this.width * factor, this.height * factor).paint((x, y) =>
      this.at(Math.floor(x / factor), Math.floor(y / factor)),
    );
  }

  at(x: number, y: number): [number, number, number] {
    const from = (y * this.width + x) * 3;
    return [this.rgb[from]!, this.rgb[from + 1]!, this.rgb[from + 2]!];
  }
}

/** Pictures of one size side by side, so many a row, with a gap of white. */
export function grid(pictures: readonly Raster[], columns: number, gap = 2): Raster {
  const { width, height } = pictures[0]!;
  const rows = Math.ceil(pictures.length / columns);
  const sheet = new Raster(columns * (width + gap) - gap, rows * (height + gap) - gap);
  for (const [i, picture] of pictures.entries()) {
    const [left, top] = [(i % columns) * (width + gap), Math.floor(i / columns) * (height + gap)];
    for (let y = 0; y < height; y++) {
      const line = picture.rgb.subarray(y * width * 3, (y + 1) * width * 3);
      sheet.rgb.set(line, ((top + y) * sheet.width + left) * 3);
    }
  }
  return sheet;
}

/** Dark blue, teal, yellow: even steps look even, in gray too. Every eighth of matplotlib's viridis. */
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

/** A grid of numbers as colours, the smallest dark, the largest bright. */
export function heatMap(values: ArrayLike<number>, rows: number, columns: number): Raster {
  const scaled = toUnit(values);
  return new Raster(columns, rows).paint((x, y) => heat(scaled[y * columns + x]!));
}

/** The smallest becomes 0, the largest 1. */
export function toUnit(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const low = list.reduce((a, b) => Math.min(a, b), Infinity);
  const high = list.reduce((a, b) => Math.max(a, b), -Infinity);
  return list.map((value) => (high > low ? (value - low) / (high - low) : 0));
}

/** A grid of numbers read between its points: (0, 0) is the middle of the first cell. */
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
