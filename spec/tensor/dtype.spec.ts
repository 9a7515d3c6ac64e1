import { strict as assert } from "node:assert";
import { toFloat32, toIntegers } from "../../lib/tensor/dtype.ts";
import { InputError } from "../../lib/errors/input-error.ts";

const u16 = (...values: number[]): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);

describe("toFloat32", () => {
  it("widens every half-precision number exactly", () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const floats = toFloat32("F16", new Uint8Array(halves.buffer));
    for (let half = 0; half < 65536; half++) {
      // The definition: (−1)^s · 2^(e − 15) · (1 + f / 1024), subnormal (−1)^s · 2^−14 · f / 1024.
      const exponent = (half >> 10) & 31;
      const fraction = half & 1023;
      const sign = half >> 15 ? -1 : 1;
      const magnitude =
        exponent === 31
          ? fraction === 0
            ? Infinity
            : NaN
          : exponent === 0
            ? 2 ** -14 * (fraction / 1024)
            : 2 ** (exponent - 15) * (1 + fraction / 1024);
      assert.ok(
        Object.is(floats[half], sign * magnitude),
        `half ${half}: ${floats[half]}, expected ${sign * magnitude}`,
      );
    }
  });

  it("widens bfloat16", () => {
    const floats = toFloat32("BF16", u16(0x3f80, 0xc049, 0x7f80, 0x0001, 0x8000));
    assert.deepEqual([...floats], [1, -3.140625, Infinity, 2 ** -133, -0]);
    assert.ok(Number.isNaN(toFloat32("BF16", u16(0x7fc0))[0]));
  });

  it("rounds doubles to the nearest float", () => {
    const bytes = new Uint8Array(Float64Array.of(Math.PI, 1e-50).buffer);
    assert.deepEqual([...toFloat32("F64", bytes)], [Math.fround(Math.PI), 0]);
  });

  it("reads floats that begin at any byte", () => {
    const bytes = new Uint8Array(9);
    bytes.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
    assert.deepEqual([...toFloat32("F32", bytes.subarray(1))], [1.5, -2]);
  });

  it("refuses a dtype that weights cannot have", () => {
    assert.throws(() => toFloat32("I32", new Uint8Array(4)), InputError);
  });
});

describe("toIntegers", () => {
  it("reads the dtypes of ids and labels", () => {
    assert.deepEqual(toIntegers("I64", new Uint8Array(BigInt64Array.of(-5n, 250001n).buffer)), [-5, 250001]);
    assert.deepEqual(toIntegers("I32", new Uint8Array(Int32Array.of(-5, 7).buffer)), [-5, 7]);
  });

  it("refuses integers beyond 53 bits, and floats", () => {
    assert.throws(() => toIntegers("I64", new Uint8Array(BigInt64Array.of(2n ** 60n).buffer)), InputError);
    assert.throws(() => toIntegers("F32", new Uint8Array(4)), InputError);
  });
});
