import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readAestheticVectors } from "../../../lib/node/serve/aesthetic-vectors.ts";
import { encodeNpy } from "../../../lib/tensor/npy.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("readAestheticVectors", () => {
  const folder = temporaryFolder();

  it("reads a vector for each score", async () => {
    const path = folder.file("scores.npy");
    writeFileSync(
      path,
      encodeNpy(
        [10, 3],
        Array.from({ length: 30 }, (_, i) => i),
      ),
    );
    const vectors = await readAestheticVectors(path);
    assert.deepEqual([vectors.length, [...vectors[9]!]], [10, [27, 28, 29]]);
  });

  it("refuses other numbers of rows, and numbers that are not finite", async () => {
    const path = folder.file("scores.npy");
    writeFileSync(path, encodeNpy([9, 1], new Float32Array(9)));
    await assert.rejects(
      readAestheticVectors(path),
      /expected 10 rows, one for each score from 0 to 9, found 9/,
    );
    writeFileSync(path, encodeNpy([10, 1], new Float32Array(10).fill(NaN)));
    await assert.rejects(readAestheticVectors(path), /expected finite numbers/);
  });
});
