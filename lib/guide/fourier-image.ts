/**
 * An image as the coefficients of its Fourier transform, in decorrelated colours. Gradient ascent on them changes all
 * frequencies at comparable speed, which pixels do not: there, the highest frequencies win.
 *
 * image = σ(M · irfft2(coefficients / max(f, 1/max(H, W))^decay) / 4), with M of `colour.ts`.
 * Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017, and its code: lucid, optvis/param/spatial.py
 * and color.py; greentfrapp/lucent, optvis/param/spatial.py, fft_image, to_valid_rgb.
 */
import {
  add,
  matMul,
  mul,
  reshape,
  sigmoid,
  slice,
  sub,
  tensor2d,
  tidy,
  transpose,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import { fromDecorrelated, toDecorrelated } from "./colour.ts";

export interface FourierImageOptions {
  readonly height: number;
  readonly width: number;
  /** How fast coefficients are damped with their frequency. */
  readonly decay: number;
}

/** The transform of images of one size. */
export class FourierImage {
  readonly height: number;
  readonly width: number;
  /** Coefficients along a row: width / 2 + 1, rounded down. */
  readonly columns: number;
  /** What each coefficient is multiplied by [height, columns]. */
  readonly #scale: Float32Array;
  readonly #tensors: readonly Tensor[];

  constructor({ height, width, decay }: FourierImageOptions) {
    this.height = height;
    this.width = width;
    this.columns = Math.floor(width / 2) + 1;
    this.#scale = frequencyScale(height, width, this.columns, decay);
    const down = table(height, height, height, () => 1 / Math.sqrt(height));
    const across = table(
      this.columns,
      width,
      width,
      (k) => (isOwnMirror(k, width) ? 1 : 2) / Math.sqrt(width),
    );
    this.#tensors = [
      tensor2d(this.#scale, [height, this.columns]),
      ...[down.cos, down.sin].map((values) => tensor2d(values, [height, height])),
      ...[across.cos, across.sin].map((values) => tensor2d(values, [this.columns, width])),
      tensor2d(Float32Array.from(fromDecorrelated.flat()), [3, 3]),
    ];
  }

  get shape(): [2, 3, number, number] {
    return [2, 3, this.height, this.columns];
  }

  /**
   * The inverse real transform, orthonormal, as torch.fft.irfft2 with norm "ortho". Products with a constant on the
   * right: WASM's product with a transposed left side is slow, and the derivative of the others needs it.
   *
   * @param coefficients [2, 3, H, columns]: real and imaginary parts
   * @returns [3, H, W] in 0…1
   */
  render(coefficients: Tensor4D): Tensor3D {
    const [scale, cosDown, sinDown, cosAcross, sinAcross, colours] = this.#tensors as Tensor2D[];
    return tidy(() => {
      const [re, im] = partsOf(mul<Tensor4D>(coefficients, scale!)).map((part) =>
        transpose(part, [0, 2, 1]),
      ) as [Tensor3D, Tensor3D]; // [3, columns, H]
      const by = (x: Tensor3D, table: Tensor2D): Tensor3D => times(x, table);
      const rowsRe = transpose(sub(by(re, cosDown!), by(im, sinDown!)), [0, 2, 1]); // [3, H, columns]
      const rowsIm = transpose(add(by(re, sinDown!), by(im, cosDown!)), [0, 2, 1]);
      const plane = sub<Tensor3D>(by(rowsRe as Tensor3D, cosAcross!), by(rowsIm as Tensor3D, sinAcross!)); // [3, H, W]
      const pixels = transpose(reshape(plane, [3, this.height * this.width])); // [HW, 3]
      const mixed = transpose(matMul<Tensor2D>(pixels, colours!, false, true)); // [3, HW]
      return reshape(sigmoid(mixed), [3, this.height, this.width]);
    });
  }

  /**
   * The coefficients of an image.
   *
   * @param image [3, H, W] in 0…1; values are kept away from 0 and 1, where the sigmoid ends
   */
  coefficientsOf(image: Float32Array): Float32Array {
    const { height, width, columns } = this;
    const size = height * width;
    const out = new Float32Array(2 * 3 * height * columns);
    const logits = Float64Array.from(image, (value) => {
      const inside = Math.min(Math.max(value, 0.02), 0.98);
      return Math.log(inside / (1 - inside));
    });
    const down = table(height, height, height, () => 1 / Math.sqrt(height));
    const across = table(columns, width, width, () => 1 / Math.sqrt(width));
    for (let channel = 0; channel < 3; channel++) {
      const mix = toDecorrelated[channel]!;
      const plane = new Float64Array(size);
      for (let i = 0; i < size; i++) {
        plane[i] = mix[0]! * logits[i]! + mix[1]! * logits[size + i]! + mix[2]! * logits[2 * size + i]!;
      }
      const re = new Float64Array(height * columns);
      const im = new Float64Array(height * columns);
      for (let y = 0; y < height; y++) {
        for (let k = 0; k < columns; k++) {
          for (let x = 0; x < width; x++) {
            re[y * columns + k]! += plane[y * width + x]! * across.cos[k * width + x]!;
            im[y * columns + k]! -= plane[y * width + x]! * across.sin[k * width + x]!;
          }
        }
      }
      for (let f = 0; f < height; f++) {
        for (let k = 0; k < columns; k++) {
          let [sumRe, sumIm] = [0, 0];
          for (let y = 0; y < height; y++) {
            const [cos, sin] = [down.cos[f * height + y]!, down.sin[f * height + y]!];
            sumRe += re[y * columns + k]! * cos + im[y * columns + k]! * sin;
            sumIm += im[y * columns + k]! * cos - re[y * columns + k]! * sin;
          }
          const scale = this.#scale[f * columns + k]!;
          out[(channel * height + f) * columns + k] = sumRe / scale;
          out[((3 + channel) * height + f) * columns + k] = sumIm / scale;
        }
      }
    }
    return out;
  }

  dispose(): void {
    for (const one of this.#tensors) one.dispose();
  }
}

/** The real and the imaginary part. */
function partsOf(coefficients: Tensor4D): [Tensor3D, Tensor3D] {
  const [, channels, height, columns] = coefficients.shape;
  const part = (i: number): Tensor3D =>
    reshape(slice(coefficients, [i, 0, 0, 0], [1, -1, -1, -1]), [channels, height, columns]);
  return [part(0), part(1)];
}

/** x [3, a, b] · table [b, c] */
function times(x: Tensor3D, by: Tensor2D): Tensor3D {
  const [channels, rows, inner] = x.shape;
  return reshape(matMul<Tensor2D>(reshape(x, [channels * rows, inner]), by), [channels, rows, by.shape[1]]);
}

/** cos and sin of 2π i j / period, scaled by row. [rows, columns] */
function table(
  rows: number,
  columns: number,
  period: number,
  scale: (row: number) => number,
): { cos: Float32Array; sin: Float32Array } {
  const [cos, sin] = [new Float32Array(rows * columns), new Float32Array(rows * columns)];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const angle = (2 * Math.PI * ((i * j) % period)) / period;
      cos[i * columns + j] = scale(i) * Math.cos(angle);
      sin[i * columns + j] = scale(i) * Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Whether a frequency of a real row is its own mirror image: the constant, and the highest of an even width. */
const isOwnMirror = (k: number, width: number): boolean => k === 0 || 2 * k === width;

function frequencyScale(height: number, width: number, columns: number, decay: number): Float32Array {
  const scale = new Float32Array(height * columns);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < columns; x++) {
      const down = (y > height / 2 ? y - height : y) / height;
      const frequency = Math.max(Math.hypot(down, x / width), 1 / Math.max(height, width));
      scale[y * columns + x] = 1 / frequency ** decay / 4;
    }
  }
  return scale;
}
