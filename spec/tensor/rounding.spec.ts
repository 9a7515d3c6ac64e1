import assert from "node:assert/strict";
import fc from "fast-check";
import { toFloat32, type Dtype } from "../../lib/tensor/dtype.ts";
import { roundFloats, type FloatDtype } from "../../lib/tensor/rounding.ts";

const bytesOf = (array: Float32Array | Float64Array): Uint8Array => new Uint8Array(array.buffer);

/** Rounds to a format with the given number of fraction bits: to the nearest, ties to even, exactly on doubles. */
function nearest(x: number, fractionBits: number, smallest: number, largest: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), smallest);
  let unit = 2 ** (exponent - fractionBits);
  // log2 is off by one next to powers of two.
  if (Math.abs(x) >= 2 ** (exponent + 1)) unit *= 2;
  if (Math.abs(x) < 2 ** exponent && exponent > smallest) unit /= 2;
  const scaled = x / unit;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const up = rest > 0.5 || (rest === 0.5 && below % 2 !== 0);
  const value = (up ? below + 1 : below) * unit;
  if (Math.abs(value) > largest) return Math.sign(x) * Infinity;
  return value === 0 ? (x < 0 ? -0 : 0) : value;
}

const formats = {
  F16: { fraction: 10, smallest: -14, largest: 65504 },
  BF16: { fraction: 7, smallest: -126, largest: (2 - 2 ** -7) * 2 ** 127 },
} as const;

function round(from: Dtype, to: FloatDtype, values: Float32Array | Float64Array): Float32Array {
  return toFloat32(to, roundFloats(from, to, bytesOf(values)).bytes);
}

describe("rounding to fewer bits", () => {
  for (const [to, { fraction, smallest, largest }] of Object.entries(formats)) {
    const dtype = to as keyof typeof formats;
    it(`F32 and F64 to ${to}: the nearest, ties to even`, () => {
      const scales = fc.integer({ min: -30, max: 20 }).map((power) => 2 ** power);
      const near = fc.tuple(fc.double({ min: -4, max: 4, noNaN: true }), scales).map(([x, s]) => x * s);
      // Halfway between two numbers of the format, and just next to it.
      const ties = fc
        .tuple(fc.integer({ min: -5000, max: 5000 }), scales, fc.constantFrom(0, 1e-12, -1e-12))
        .map(([n, s, hair]) => (n + 0.5) * s * (1 + hair));
      fc.assert(
        fc.property(fc.oneof(near, ties, fc.double()), (x) => {
          const single = Math.fround(x);
          assert.equal(
            round("F32", dtype, Float32Array.of(single))[0],
            nearest(single, fraction, smallest, largest),
          );
          assert.equal(round("F64", dtype, Float64Array.of(x))[0], nearest(x, fraction, smallest, largest));
        }),
        { numRuns: 3000 },
      );
    });
  }

  it("every F16 and BF16 number survives the way through float32, NaN as NaN", () => {
    const all = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
    for (const dtype of ["F16", "BF16"] as const) {
      const floats = toFloat32(dtype, new Uint8Array(all.buffer));
      const { bytes, overflowed } = roundFloats("F32", dtype, bytesOf(floats));
      const back = new Uint16Array(bytes.buffer, bytes.byteOffset, 65536);
      for (const [bits, float] of floats.entries()) {
        if (Number.isNaN(float))
          assert.ok(Number.isNaN(toFloat32(dtype, bytes.slice(2 * bits, 2 * bits + 2))[0]));
        else assert.equal(back[bits], bits);
      }
      assert.equal(overflowed, 0);
    }
  });

  it("counts numbers that became infinite, subnormal or zero", () => {
    const cases: [Dtype, FloatDtype, Float32Array | Float64Array, number, number][] = [
      ["F32", "F16", Float32Array.of(65519, 65520, -1e9, Infinity, NaN), 2, 0],
      ["F32", "F16", Float32Array.of(2 ** -14, 2 ** -15, 2 ** -25, 2 ** -30, 0, -0), 0, 3],
      // The largest number below 2⁻¹⁴ rounds up to it.
      ["F32", "F16", Float32Array.of(2 ** -14 * (1 - 2 ** -24)), 0, 0],
      ["F32", "BF16", Float32Array.of(3.4e38, 3e38, 1e-39, 1e-45, 0), 1, 2],
      ["F64", "F32", Float64Array.of(1e39, 1e300, Infinity, 1e-40, 1e-60, 0), 2, 2],
      ["F64", "F16", Float64Array.of(1e39, 65519.9999, 65520, 1e-300), 2, 1],
    ];
    for (const [from, to, values, overflowed, subnormal] of cases) {
      const rounded = roundFloats(from, to, bytesOf(values));
      assert.deepEqual([rounded.overflowed, rounded.subnormal], [overflowed, subnormal], `${from} to ${to}`);
    }
  });

  it("a double next to a tie of F16 is not rounded twice", () => {
    const tie = 1 + 2 ** -11;
    const values = Float64Array.of(tie, tie + 2 ** -40, tie - 2 ** -40, 1 + 3 * 2 ** -11 - 2 ** -40);
    assert.deepEqual([...round("F64", "F16", values)], [1, 1 + 2 ** -10, 1, 1 + 2 ** -10]);
  });
});
