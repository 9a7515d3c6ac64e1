/** Rounds floating-point numbers to another dtype. */
import { aligned, toFloat32, type Dtype } from "./dtype.ts";

/** The dtypes that weights can be written in. */
export type FloatDtype = "F32" | "F16" | "BF16";

/** Numbers that were rounded to another dtype. */
export interface Rounded {
  readonly bytes: Uint8Array;
  /** Count of finite numbers that became infinite. */
  readonly overflowed: number;
  /** Count of nonzero numbers that became zero or subnormal, which have fewer significant bits. */
  readonly subnormal: number;
}

/**
 * Converts floating-point numbers to another dtype, rounded once to the nearest, ties to even.
 *
 * @param from one of `weightDtypes`
 * @param bytes whole elements
 * @throws InputError for a dtype that weights cannot have
 */
export function roundFloats(from: Dtype, to: FloatDtype, bytes: Uint8Array): Rounded {
  if (from === to) return { bytes, overflowed: 0, subnormal: 0 };
  if (from !== "F64") {
    const floats = toFloat32(from, bytes);
    return to === "F32" ? { bytes: bytesOf(floats), overflowed: 0, subnormal: 0 } : narrow(to, floats);
  }
  const { buffer, byteOffset, length } = aligned(bytes, 8);
  const doubles = new Float64Array(buffer, byteOffset, length / 8);
  return to === "F32" ? doublesToFloats(doubles) : narrow(to, roundedToOdd(doubles));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The smallest normal float32. */
const smallestFloat = 2 ** -126;

function doublesToFloats(doubles: Float64Array): Rounded {
  const floats = new Float32Array(doubles);
  let [overflowed, subnormal] = [0, 0];
  for (const [i, double] of doubles.entries()) {
    const size = Math.abs(floats[i]!);
    if (size === Infinity && Number.isFinite(double)) overflowed++;
    else if (size < smallestFloat && double !== 0) subnormal++;
  }
  return { bytes: bytesOf(floats), overflowed, subnormal };
}

/**
 * Rounds to odd: inexact numbers are truncated and their last bit is set. A second rounding of the result then gives what
 * one rounding of the double would; rounding to the nearest twice would not, for numbers close to a tie.
 *
 * Source: Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd".
 */
function roundedToOdd(doubles: Float64Array): Float32Array {
  const floats = new Float32Array(doubles);
  const bits = new Uint32Array(floats.buffer);
  for (const [i, double] of doubles.entries()) {
    const float = floats[i]!;
    if (float === double || Number.isNaN(double)) continue;
    if (Math.abs(float) > Math.abs(double)) bits[i]!--;
    bits[i]! |= 1;
  }
  return floats;
}

function narrow(to: "F16" | "BF16", floats: Float32Array): Rounded {
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  return to === "F16" ? floatsToHalves(bits) : floatsToBfloats(bits);
}

/** Rounds binary32 (1 sign, 8 exponent, 23 fraction bits) to binary16 (1, 5, 10). */
function floatsToHalves(bits: Uint32Array): Rounded {
  const halves = new Uint16Array(bits.length);
  let [overflowed, subnormal] = [0, 0];
  for (let i = 0; i < bits.length; i++) {
    const float = bits[i]!;
    const size = float & 0x7fffffff;
    let half;
    if (size >= 0x38800000 && size < 0x47800000) {
      // Normal, 2⁻¹⁴ to 2¹⁶: the bias changes and 13 bits are dropped. A carry into the exponent is correct.
      const biased = size - 0x38000000;
      half = (biased + 0xfff + ((biased >>> 13) & 1)) >>> 13;
      if (half === 0x7c00) overflowed++;
    } else if (size > 0x7f800000) {
      half = 0x7e00 | ((size >>> 13) & 0x3ff); // a quiet NaN
    } else if (size >= 0x47800000) {
      half = 0x7c00;
      if (size !== 0x7f800000) overflowed++;
    } else if (size === 0) {
      half = 0;
    } else {
      // Subnormal: a multiple of 2⁻²⁴. Half of that, the tie, and anything below it become zero.
      subnormal++;
      const shift = 126 - (size >>> 23);
      if (shift > 24) half = 0;
      else {
        const fraction = (size & 0x7fffff) | 0x800000;
        const low = fraction & ((1 << shift) - 1);
        const tie = 1 << (shift - 1);
        half = fraction >>> shift;
        if (low > tie || (low === tie && half & 1)) half++;
        // It was rounded up to the smallest normal number, which has all its bits.
        if (half === 0x400) subnormal--;
      }
    }
    halves[i] = ((float >>> 16) & 0x8000) | half;
  }
  return { bytes: bytesOf(halves), overflowed, subnormal };
}

/** Rounds binary32 to its upper half. */
function floatsToBfloats(bits: Uint32Array): Rounded {
  const bfloats = new Uint16Array(bits.length);
  let [overflowed, subnormal] = [0, 0];
  for (let i = 0; i < bits.length; i++) {
    const float = bits[i]!;
    const size = float & 0x7fffffff;
    if (size > 0x7f800000) {
      bfloats[i] = (float >>> 16) | 0x40; // stays a NaN even if only dropped bits were set
      continue;
    }
    const bfloat = (float + 0x7fff + ((float >>> 16) & 1)) >>> 16;
    bfloats[i] = bfloat;
    if ((bfloat & 0x7fff) === 0x7f80 && size !== 0x7f800000) overflowed++;
    else if ((bfloat & 0x7f80) === 0 && size !== 0) subnormal++;
  }
  return { bytes: bytesOf(bfloats), overflowed, subnormal };
}
