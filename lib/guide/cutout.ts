/**
 * Cutouts: squares of the canvas, rotated and resampled to the network's input, and the gradient on its way back.
 *
 * Rotation and scale are two passes of one-dimensional filters (Catmull and Smith, "3-D transformations of images in
 * scanline order", 1980): along the rows, x = s/cos θ · u − tan θ · y, then along the columns, y = s sin θ · u + s cos θ · v,
 * from the centres. The filter is the triangle of PyTorch's antialiased bilinear interpolation, so that a whole canvas
 * without rotation equals torch.nn.functional.interpolate(antialias=True). Being linear, it has an exact transpose.
 */

/** Where a cutout lies in the canvas, in pixels. */
export interface Cutout {
  readonly centreX: number;
  readonly centreY: number;
  /** The side, which becomes the longer edge of the input. */
  readonly side: number;
  /** In radians, less than a quarter turn. */
  readonly angle: number;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Filters: of each output, its first input, the number of its inputs, and their weights, which add up to 1. */
interface Filters {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` for each output. */
  readonly weights: Float64Array;
  readonly most: number;
}

/** The cutout of images of one size. */
export class Sampler {
  readonly #canvas: Size;
  readonly #input: Size;
  /** For each row of the canvas, and each column of the input. */
  readonly #alongRows: Filters;
  /** For each column of the input, and each of its rows. */
  readonly #alongColumns: Filters;

  constructor({ centreX, centreY, side, angle }: Cutout, canvas: Size, input: Size) {
    const step = side / Math.max(input.width, input.height);
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    const fromCentre = (i: number, length: number): number => i + 0.5 - length / 2;
    this.#canvas = canvas;
    this.#input = input;
    this.#alongRows = triangles(canvas.height * input.width, step / cos, canvas.width, (i) => {
      const [y, u] = [Math.floor(i / input.width), i % input.width];
      return centreX + (step / cos) * fromCentre(u, input.width) - (sin / cos) * (y + 0.5 - centreY);
    });
    this.#alongColumns = triangles(input.width * input.height, step * cos, canvas.height, (i) => {
      const [u, v] = [Math.floor(i / input.height), i % input.height];
      return centreY + step * (sin * fromCentre(u, input.width) + cos * fromCentre(v, input.height));
    });
  }

  /** @param image [3, canvas] @param out [3, input], from `start` on */
  sample(image: Float32Array, out: Float32Array, start = 0): void {
    const [{ height, width }, input] = [this.#canvas, this.#input];
    const { first, count, weights, most } = this.#alongRows;
    const rows = new Float64Array(height * input.width);
    for (let channel = 0; channel < 3; channel++) {
      for (let i = 0; i < rows.length; i++) {
        const from = (channel * height + Math.floor(i / input.width)) * width + first[i]!;
        let sum = 0;
        for (let k = 0; k < count[i]!; k++) sum += weights[i * most + k]! * image[from + k]!;
        rows[i] = sum;
      }
      this.#downColumns(rows, out, start + channel * input.height * input.width);
    }
  }

  #downColumns(rows: Float64Array, out: Float32Array, start: number): void {
    const { height, width } = this.#input;
    const { first, count, weights, most } = this.#alongColumns;
    for (let u = 0; u < width; u++) {
      for (let v = 0; v < height; v++) {
        const i = u * height + v;
        let sum = 0;
        for (let k = 0; k < count[i]!; k++)
          sum += weights[i * most + k]! * rows[(first[i]! + k) * width + u]!;
        out[start + v * width + u] = sum;
      }
    }
  }

  /** The transpose: adds the gradient of a cutout, from `start` on, to that of the canvas. */
  spread(gradient: Float32Array, image: Float64Array, start = 0): void {
    const [{ height, width }, input] = [this.#canvas, this.#input];
    const { first, count, weights, most } = this.#alongRows;
    for (let channel = 0; channel < 3; channel++) {
      const rows = this.#upColumns(gradient, start + channel * input.height * input.width);
      for (let i = 0; i < rows.length; i++) {
        const to = (channel * height + Math.floor(i / input.width)) * width + first[i]!;
        for (let k = 0; k < count[i]!; k++) image[to + k]! += weights[i * most + k]! * rows[i]!;
      }
    }
  }

  #upColumns(gradient: Float32Array, start: number): Float64Array {
    const { height, width } = this.#input;
    const { first, count, weights, most } = this.#alongColumns;
    const rows = new Float64Array(this.#canvas.height * width);
    for (let u = 0; u < width; u++) {
      for (let v = 0; v < height; v++) {
        const i = u * height + v;
        const slope = gradient[start + v * width + u]!;
        for (let k = 0; k < count[i]!; k++)
          rows[(first[i]! + k) * width + u]! += weights[i * most + k]! * slope;
      }
    }
    return rows;
  }
}

/**
 * Triangular filters of `outputs` centres. Positions outside the canvas take its border.
 *
 * Source: ATen/native/cpu/UpSampleKernel.cpp, the antialiased filters.
 */
function triangles(outputs: number, step: number, length: number, centreOf: (i: number) => number): Filters {
  const support = Math.max(step, 1);
  const most = 2 * Math.ceil(support) + 1;
  const [first, count] = [new Int32Array(outputs), new Int32Array(outputs)];
  const weights = new Float64Array(outputs * most);
  for (let i = 0; i < outputs; i++) {
    const centre = centreOf(i);
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), length);
    let sum = 0;
    for (let k = 0; k < end - start; k++) {
      const weight = Math.max(0, 1 - Math.abs(start + k + 0.5 - centre) / support);
      weights[i * most + k] = weight;
      sum += weight;
    }
    if (sum > 0) {
      first[i] = start;
      count[i] = end - start;
      for (let k = 0; k < end - start; k++) weights[i * most + k]! /= sum;
    } else {
      first[i] = centre < 0 ? 0 : length - 1;
      count[i] = 1;
      weights[i * most] = 1;
    }
  }
  return { first, count, weights, most };
}
