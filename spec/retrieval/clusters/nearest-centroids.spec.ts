import assert from "node:assert/strict";
import fc from "fast-check";
import { NearestCentroids } from "../../../lib/retrieval/clusters/nearest-centroids.ts";
import { wasmKernel } from "../../../lib/retrieval/scan/wasm-kernel.ts";
import { normalised, randomNumbers } from "../../support/vector-index.ts";

describe("NearestCentroids", () => {
  it("finds what all products in float64 give, also among centroids that codes cannot tell apart", () => {
    const width = 40;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 1200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(1, 0.1, 0.001),
        (seed, count, rows, spread) => {
          const { normal } = randomNumbers(seed);
          const vectors = (number: number): Float32Array =>
            normalised(
              Float32Array.from(
                { length: number * width },
                (_, i) => Math.sin(i % width) + spread * normal(),
              ),
              width,
            );
          const [centroids, values] = [vectors(count), vectors(rows)];
          // Of equal ones the first counts.
          centroids.copyWithin(centroids.length - width, 0, width);
          const found = new NearestCentroids(wasmKernel, centroids, width).find(values);
          assert.equal(found.length, rows);
          for (const [row, { cluster, similarity }] of found.entries()) {
            let [best, most] = [-1, -Infinity];
            for (let c = 0; c < count; c++) {
              let dot = 0;
              for (let i = 0; i < width; i++) dot += centroids[c * width + i]! * values[row * width + i]!;
              if (dot > most) [best, most] = [c, dot];
            }
            assert.deepEqual([cluster, similarity], [best, most]);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
