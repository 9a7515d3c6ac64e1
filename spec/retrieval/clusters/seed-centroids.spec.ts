import assert from "node:assert/strict";
import { seedCentroids } from "../../../lib/retrieval/clusters/seed-centroids.ts";
import { wasmKernel } from "../../../lib/retrieval/scan/wasm-kernel.ts";
import { normalised, randomNumbers } from "../../support/vector-index.ts";

const width = 12;

/** Rows close to five directions, of which the first has most. */
function groups(): { readonly values: Float32Array; readonly group: number[] } {
  const { normal } = randomNumbers(2);
  const directions = Array.from({ length: 5 }, () => Array.from({ length: width }, normal));
  const group = Array.from({ length: 900 }, (_, row) => (row < 660 ? 0 : 1 + (row % 4)));
  const values = Float32Array.from(
    group.flatMap((of) => directions[of]!.map((value) => value + 0.001 * normal())),
  );
  return { values: normalised(values, width), group };
}

describe("seedCentroids", () => {
  it("draws far rows: each of five groups gets one, though one has nearly three quarters of the rows", () => {
    const { values, group } = groups();
    for (let seed = 0; seed < 20; seed++) {
      const chosen = seedCentroids(wasmKernel, values, width, 5, seed);
      assert.deepEqual(new Set(chosen.map((row) => group[row])), new Set([0, 1, 2, 3, 4]));
    }
  });

  it("draws the same rows for a seed, others for another, and none twice", () => {
    const { values } = groups();
    const draw = (seed: number): number[] => seedCentroids(wasmKernel, values, width, 50, seed);
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    assert.equal(new Set(draw(1)).size, 50);
  });

  it("stops where all rows are copies of those drawn", () => {
    const values = normalised(
      Float32Array.from({ length: 40 * width }, (_, i) => (i < 20 * width ? i % 3 : (i % 5) + 1)),
      width,
    );
    for (let row = 1; row < 20; row++) values.copyWithin(row * width, 0, width);
    for (let row = 21; row < 40; row++) values.copyWithin(row * width, 20 * width, 21 * width);
    const chosen = seedCentroids(wasmKernel, values, width, 10, 0);
    assert.deepEqual(new Set(chosen.map((row) => row < 20)), new Set([true, false]));
    assert.equal(chosen.length, 2);
  });
});
