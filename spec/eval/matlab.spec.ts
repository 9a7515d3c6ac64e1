/** Against files that scipy wrote; see tools/golden/arrays.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { InputError } from "../../lib/errors/input-error.ts";
import { readMatlabStructs } from "../../lib/eval/matlab.ts";
import { encodeMat } from "../../tools/datasets/encode/mat.ts";
import { fixture } from "../support/paths.ts";

const read = (name: string): Uint8Array => readFileSync(fixture(`eval/arrays/${name}.mat`));

describe("readMatlabStructs", () => {
  for (const name of ["plain", "compressed"]) {
    it(`reads texts and numbers (${name})`, async () => {
      const structs = await readMatlabStructs(read(name), "synsets", "meta.mat");
      assert.deepEqual(
        structs.map(({ ILSVRC2012_ID: id, WNID: wnid, words, num_children: count }) => [
          id,
          wnid,
          words,
          count,
        ]),
        [
          [[1], "n02119789", "kit fox, Vulpes macrotis", [0]],
          [[300], "n02100735", "Jäger, 猫", [0]],
          [[1001.5], "n00001740", "", [3]],
        ],
      );
      assert.deepEqual(structs[2]!["children"], [1, 70000, 2]);
      assert.equal(structs[0]!["cell"], null);
    });
  }

  it("reads what the generator of datasets writes", async () => {
    const structs = [
      { id: 1, name: "a" },
      { id: -2.5, name: "bc" },
    ];
    assert.deepEqual(await readMatlabStructs(encodeMat("x", structs), "x", "x.mat"), [
      { id: [1], name: "a" },
      { id: [-2.5], name: "bc" },
    ]);
  });

  it("refuses other files, variables and classes", async () => {
    for (const [bytes, variable, message] of [
      [new Uint8Array(200), "synsets", /^m\.mat: expected a MATLAB file of version 5 .*something else/],
      [read("plain").subarray(0, 100), "synsets", /something else/],
      [read("plain"), "missing", /other variables/],
      [read("plain"), "other", /an array of the class 6/],
    ] as const) {
      await assert.rejects(readMatlabStructs(bytes, variable, "m.mat"), { name: "InputError", message });
    }
  });

  it("gives structures or an InputError for any damage", async () => {
    const whole = read("plain");
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, change, isCut) => {
          const bytes = Uint8Array.from(isCut ? whole.subarray(0, at) : whole);
          if (!isCut) bytes[at]! ^= change;
          await readMatlabStructs(bytes, "synsets", "m.mat").catch((error: unknown) => {
            if (!(error instanceof InputError)) throw error;
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
