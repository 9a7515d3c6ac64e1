/**
 * The number formats of weight files, and their conversion to and from the float32 that the network computes in.
 *
 * Names and sizes are those of the safetensors format. All are little-endian, as is every machine that tfjs runs on.
 * Widening F16 and BF16 is exact; F64 is rounded to the nearest float32.
 *
 * Source: github.com/huggingface/safetensors, safetensors/src/tensor.rs (Dtype); IEEE 754-2019.
 */
import { InputError } from "../errors/input-error.ts";

/** Size of an element in bytes, for every dtype of the format whose elements are whole bytes. */
export const bytesPerElement = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
  C64: 8,
} as const;

export type Dtype = keyof typeof bytesPerElement;

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(bytesPerElement, name);
}

/** The dtypes that weights may have. */
export const weightDtypes: readonly Dtype[] = ["F32", "F16", "BF16", "F64"];

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Converts stored bytes to float32. Aligned F32 bytes come back as a view, all others as a copy.
 *
 * @throws InputError for a dtype that weights cannot have
 */
export function toFloat32(dtype: Dtype, bytes: Uint8Array): Float32Array {
  const { buffer, byteOffset, length } = aligned(bytes, bytesPerElement[dtype]);
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, byteOffset, length / 4);
    case "F16":
      return halvesToFloats(new Uint16Array(buffer, byteOffset, length / 2));
    case "BF16":
      return bfloatsToFloats(new Uint16Array(buffer, byteOffset, length / 2));
    case "F64":
      return new Float32Array(new Float64Array(buffer, byteOffset, length / 8));
    default:
      throw new InputError(`${dtype} is not a supported weight dtype; expected ${weightDtypes.join(", ")}`);
  }
}

/**
 * Reads stored integers (token ids, labels) as numbers.
 *
 * @throws InputError for a dtype other than I64, I32 and U8, or an I64 beyond the 53 bits of a number
 */
export function toIntegers(dtype: Dtype, bytes: Uint8Array): number[] {
  const { buffer, byteOffset, length } = aligned(bytes, bytesPerElement[dtype]);
  switch (dtype) {
    case "U8":
      return Array.from(bytes);
    case "I32":
      return Array.from(new Int32Array(buffer, byteOffset, length / 4));
    case "I64":
      return Array.from(new BigInt64Array(buffer, byteOffset, length / 8), (value) => {
        const number = Number(value);
        if (!Number.isSafeInteger(number))
          throw new InputError(`the integer ${value.toString()} is too large; expected at most 53 bits`);
        return number;
      });
    default:
      throw new InputError(`${dtype} is not a supported integer dtype; expected I64, I32 or U8`);
  }
}

/**
 * Reads stored numbers of any dtype; 64-bit integers are rounded to the nearest float64.
 *
 * @returns null for complex numbers and 8-bit floats
 */
export function toNumbers(dtype: Dtype, bytes: Uint8Array): ArrayLike<number> | null {
  if (weightDtypes.includes(dtype) && dtype !== "F64") return toFloat32(dtype, bytes);
  const { buffer, byteOffset, length } = aligned(bytes, bytesPerElement[dtype]);
  switch (dtype) {
    case "F64":
      return new Float64Array(buffer, byteOffset, length / 8);
    case "BOOL":
    case "U8":
      return bytes;
    case "I8":
      return new Int8Array(buffer, byteOffset, length);
    case "I16":
      return new Int16Array(buffer, byteOffset, length / 2);
    case "U16":
      return new Uint16Array(buffer, byteOffset, length / 2);
    case "I32":
      return new Int32Array(buffer, byteOffset, length / 4);
    case "U32":
      return new Uint32Array(buffer, byteOffset, length / 4);
    case "I64":
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, length / 8), Number);
    case "U64":
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, length / 8), Number);
    default:
      return null;
  }
}

/** Typed arrays need an offset that is a multiple of their element size; copies only if it is not. */
function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : bytes.slice();
}

function bfloatsToFloats(bfloats: Uint16Array): Float32Array {
  const floats = new Float32Array(bfloats.length);
  const bits = new Uint32Array(floats.buffer);
  // A bfloat16 is the upper half of a float32.
  for (let i = 0; i < bfloats.length; i++) bits[i] = (bfloats[i] ?? 0) << 16;
  return floats;
}

/** Float32 bits of all 65,536 half-precision numbers: a lookup is several times faster than the arithmetic. */
let halfTable: Uint32Array | undefined;

function halvesToFloats(halves: Uint16Array): Float32Array {
  halfTable ??= Uint32Array.from({ length: 65536 }, (_, half) => halfToFloatBits(half));
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halfTable[halves[i] ?? 0] ?? 0;
  return floats;
}

/** Converts IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits) to the bits of the equal binary32 (1, 8, 23). */
function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13); // infinities and NaN
  if (exponent !== 0) return sign | ((exponent - 15 + 127) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal, fraction · 2⁻²⁴: shifted so that the highest set bit becomes the implicit one.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((127 - 14 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}

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
