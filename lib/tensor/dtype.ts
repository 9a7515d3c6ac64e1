/**
 * The number formats of weight files, and their conversion to the float32 that the network computes in.
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

/** A dtype of safetensors. */
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
export function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
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
