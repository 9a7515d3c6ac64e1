/** Against files that numpy wrote; see tools/golden/arrays.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { InputError } from "../../lib/errors/input-error.ts";
import { readNumpyVector } from "../../lib/eval/numpy.ts";
import { encodeNpy } from "../../lib/tensor/npy.ts";
import { fixture } from "../support/paths.ts";

const read = (name: string): Uint8Array => readFileSync(fixture(`eval/arrays/${name}.npy`));

describe("readNumpyVector", () => {
  const dtypes = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"];
  for (const name of [...dtypes, "version-2", "version-3"]) {
    it(`reads ${name}`, () => {
      assert.deepEqual(readNumpyVector(read(name), "x.npy"), [0, 1, 1, 0, 1]);
    });
  }

  it("reads a view into a larger buffer", () => {
    const bytes = read("int32");
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 3);
    assert.deepEqual(readNumpyVector(larger.subarray(3, -4), "x.npy"), [0, 1, 1, 0, 1]);
  });

  for (const [what, bytes, message] of [
    ["matrices", read("matrix"), "x.npy: expected one dimension, found the shape (2, 2)"],
    ["big-endian numbers", read("big-endian"), /expected one of .*<f4.*, found the dtype >f4$/],
    [
      "files that are cut short",
      read("int64").subarray(0, -3),
      /expected 5 values of 8 bytes, found 37 bytes/,
    ],
    ["longer files", Buffer.concat([read("int8"), Buffer.alloc(1)]), /expected 5 values of 1 bytes, found 6/],
    ["other files", Buffer.from("not an array"), "x.npy: expected a NumPy file (.npy)"],
    ["empty files", new Uint8Array(), "x.npy: expected a NumPy file (.npy)"],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readNumpyVector(bytes, "x.npy"), { name: "InputError", message });
    });
  }

  it("reads what the generator of datasets writes", () => {
    assert.deepEqual(readNumpyVector(encodeNpy([4], [1, 0, 0, 1]), "x.npy"), [1, 0, 0, 1]);
  });

  it("gives numbers or an InputError for any damage", () => {
    const whole = read("float32");
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Uint8Array.from(whole);
        bytes[at]! ^= change;
        try {
          assert.equal(readNumpyVector(bytes, "x.npy").length, 5);
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
