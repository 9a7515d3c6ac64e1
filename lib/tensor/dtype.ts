/**
 * Number formats of weight files, and the way from each to the float32 that the network computes in.
 *
 * Names and sizes are those of the safetensors format; all of them are little-endian, as is every machine that
 * tfjs runs on. Widening F16 and BF16 is exact, F64 is rounded to the nearest float32.
 */
import { InputError } from "./errors.ts";

/** Bytes of one element, for every dtype of the format whose elements are whole bytes. */
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

/** What weights come in. */
export const weightDtypes: readonly Dtype[] = ["F32", "F16", "BF16", "F64"];

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Widens stored bytes to float32. Aligned F32 bytes come back as a view, everything else as a copy.
 *
 * @throws InputError for a dtype that weights do not come in.
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
      throw new InputError(`${dtype} is no format for weights: expected ${weightDtypes.join(", ")}`);
  }
}

/**
 * Reads stored integers (token ids, labels) as numbers.
 *
 * @throws InputError for a dtype that is no integer, or an I64 beyond the 53 bits that a number holds.
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
          throw new InputError(`the integer ${value.toString()} is too large`);
        return number;
      });
    default:
      throw new InputError(`${dtype} is no format for integers: expected I64, I32 or U8`);
  }
}

/** Typed arrays need an offset that is a multiple of their element size: copy only where it is not. */
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

/** Float32 bits of all 65,536 half-precision numbers: a look-up is several times faster than the arithmetic. */
let halfTable: Uint32Array | undefined;

function halvesToFloats(halves: Uint16Array): Float32Array {
  halfTable ??= Uint32Array.from({ length: 65536 }, (_, half) => halfToFloatBits(half));
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halfTable[halves[i] ?? 0] ?? 0;
  return floats;
}

/** IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits) to the bits of the equal binary32 (1, 8, 23). */
function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13); // infinities and NaN
  if (exponent !== 0) return sign | ((exponent - 15 + 127) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // Subnormal: fraction · 2⁻²⁴, normalised so that its highest set bit becomes the implicit one.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((127 - 14 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
