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

/** The inputs of one output of a filter, and their weights, which add up to 1. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/** The cutout of images of one size. */
export class Sampler {
  readonly #canvas: Size;
  readonly #input: Size;
  /** For each row of the canvas, and each column of the input. */
  readonly #alongRows: readonly Taps[];
  /** For each column of the input, and each of its rows. */
  readonly #alongColumns: readonly Taps[];

  constructor({ centreX, centreY, side, angle }: Cutout, canvas: Size, input: Size) {
    const step = side / Math.max(input.width, input.height);
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
    const fromCentre = (i: number, length: number): number => i + 0.5 - length / 2;
    this.#canvas = canvas;
    this.#input = input;
    this.#alongRows = Array.from({ length: canvas.height * input.width }, (_, i) => {
      const [y, u] = [Math.floor(i / input.width), i % input.width];
      const x = (step / cos) * fromCentre(u, input.width) - (sin / cos) * (y + 0.5 - centreY);
      return triangle(centreX + x, step / cos, canvas.width);
    });
    this.#alongColumns = Array.from({ length: input.width * input.height }, (_, i) => {
      const [u, v] = [Math.floor(i / input.height), i % input.height];
      const y = step * (sin * fromCentre(u, input.width) + cos * fromCentre(v, input.height));
      return triangle(centreY + y, step * cos, canvas.height);
    });
  }

  /** @param image [3, canvas] @param out [3, input], from `start` on */
  sample(image: Float32Array, out: Float32Array, start = 0): void {
    const [{ height, width }, input] = [this.#canvas, this.#input];
    const rows = new Float64Array(height * input.width);
    for (let channel = 0; channel < 3; channel++) {
      for (let i = 0; i < rows.length; i++) {
        const { first, weights } = this.#alongRows[i]!;
        const from = (channel * height + Math.floor(i / input.width)) * width + first;
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * image[from + k]!;
        rows[i] = sum;
      }
      for (let u = 0; u < input.width; u++) {
        for (let v = 0; v < input.height; v++) {
          const { first, weights } = this.#alongColumns[u * input.height + v]!;
          let sum = 0;
          for (let k = 0; k < weights.length; k++) sum += weights[k]! * rows[(first + k) * input.width + u]!;
          out[start + (channel * input.height + v) * input.width + u] = sum;
        }
      }
    }
  }

  /** The transpose: adds the gradient of a cutout to that of the canvas. */
  spread(gradient: Float32Array, image: Float64Array, start = 0): void {
    const [{ height, width }, input] = [this.#canvas, this.#input];
    for (let channel = 0; channel < 3; channel++) {
      const rows = new Float64Array(height * input.width);
      for (let u = 0; u < input.width; u++) {
        for (let v = 0; v < input.height; v++) {
          const { first, weights } = this.#alongColumns[u * input.height + v]!;
          const slope = gradient[start + (channel * input.height + v) * input.width + u]!;
          for (let k = 0; k < weights.length; k++)
            rows[(first + k) * input.width + u]! += weights[k]! * slope;
        }
      }
      for (let i = 0; i < rows.length; i++) {
        const { first, weights } = this.#alongRows[i]!;
        const to = (channel * height + Math.floor(i / input.width)) * width + first;
        for (let k = 0; k < weights.length; k++) image[to + k]! += weights[k]! * rows[i]!;
      }
    }
  }
}

/** Positions outside the canvas take its border. Source: ATen/native/cpu/UpSampleKernel.cpp, the antialiased filters */
function triangle(centre: number, step: number, length: number): Taps {
  const support = Math.max(step, 1);
  const inside = Math.min(Math.max(centre, 0.5), length - 0.5);
  const at = Math.abs(centre - inside) > support ? inside : centre;
  const first = Math.max(Math.trunc(at - support + 0.5), 0);
  const end = Math.min(Math.trunc(at + support + 0.5), length);
  const weights = Array.from({ length: end - first }, (_, k) =>
    Math.max(0, 1 - Math.abs(first + k + 0.5 - at) / support),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 0) return { first: Math.min(Math.floor(inside), length - 1), weights: [1] };
  return { first, weights: weights.map((weight) => weight / sum) };
}
