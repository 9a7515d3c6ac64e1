import assert from "node:assert/strict";
import { encodeNpy } from "../../lib/tensor/npy.ts";

/** The first 128 bytes of what numpy.save writes for float32 arrays of these shapes. */
const heads = [
  [[3], `{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }${" ".repeat(60)}\n`],
  [[2, 3], `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }${" ".repeat(58)}\n`],
  [[], `{'descr': '<f4', 'fortran_order': False, 'shape': (), }${" ".repeat(62)}\n`],
] as const;

describe("encodeNpy", () => {
  for (const [shape, description] of heads) {
    it(`writes what numpy.save writes for [${shape.join(", ")}]`, () => {
      const values = Array.from(
        { length: shape.reduce<number>((all, size) => all * size, 1) },
        (_, i) => i / 2,
      );
      const bytes = Buffer.from(encodeNpy(shape, values));
      assert.equal(bytes.subarray(0, 128).toString("latin1"), `\x93NUMPY\x01\x00\x76\x00${description}`);
      assert.deepEqual(
        values.map((_, i) => bytes.readFloatLE(128 + 4 * i)),
        values,
      );
      assert.equal(bytes.length, 128 + 4 * values.length);
    });
  }

  it("refuses values that do not fill the shape", () => {
    assert.throws(() => encodeNpy([2, 2], [1, 2, 3]), {
      name: "InputError",
      message: "encodeNpy: expected 4 values for [2, 2], found 3",
    });
  });
});
