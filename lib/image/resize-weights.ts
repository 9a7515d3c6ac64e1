/**
 * The weights of a resize: how much each input of an axis contributes to each output.
 *
 * Source: Pillow, src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc
 */

export type Interpolation = "bicubic" | "bilinear";

/** 32 bits minus 8 for the sample and 2 for the overshoot of the kernel. */
export const fractionBits = 22;
export const oneHalf = 1 << (fractionBits - 1);

export interface Kernel {
  /** Half the kernel's width, in pixels of the larger of the two images. */
  readonly support: number;
  at(x: number): number;
}

export const kernels: Readonly<Record<Interpolation, Kernel>> = {
  // Keys, Cubic Convolution Interpolation for Digital Image Processing (1981), with a = −0.5.
  bicubic: {
    support: 2,
    at(signed) {
      const a = -0.5;
      const x = Math.abs(signed);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    },
  },
  bilinear: {
    support: 1,
    at(signed) {
      const x = Math.abs(signed);
      return x < 1 ? 1 - x : 0;
    },
  },
};

/** For each output position of a window of one axis: the range of its inputs and their weights. */
export interface Coefficients {
  /** Items of `weights` per output position. */
  readonly taps: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float64Array;
}

/** The same with the weights in fixed point. */
export interface FixedCoefficients extends Omit<Coefficients, "weights"> {
  readonly weights: Int32Array;
}

/** @param begin the first output position of the window @param length of the window */
export function coefficientsOf(
  from: number,
  to: number,
  kernel: Kernel,
  begin: number,
  length: number,
): Coefficients {
  const scale = from / to;
  const filterScale = Math.max(scale, 1);
  const support = kernel.support * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Float64Array(length * taps);
  const inverse = 1 / filterScale;
  for (let i = 0; i < length; i++) {
    const center = (begin + i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), from);
    let sum = 0;
    for (let x = 0; x < end - start; x++) {
      const weight = kernel.at((x + start - center + 0.5) * inverse);
      weights[i * taps + x] = weight;
      sum += weight;
    }
    if (sum !== 0) {
      for (let x = 0; x < end - start; x++) weights[i * taps + x]! /= sum;
    }
    first[i] = start;
    count[i] = end - start;
  }
  return { taps, first, count, weights };
}

/** Converts weights to fixed point, rounding halves away from zero. */
export function fixedPoint(weights: Float64Array): Int32Array {
  const fixed = new Int32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const scaled = weights[i]! * (1 << fractionBits);
    fixed[i] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  return fixed;
}
