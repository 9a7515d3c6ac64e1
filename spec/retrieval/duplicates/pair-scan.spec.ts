import assert from "node:assert/strict";
import fc from "fast-check";
import { PairScan } from "../../../lib/retrieval/duplicates/pair-scan.ts";
import { wasmKernel } from "../../../lib/retrieval/scan/wasm-kernel.ts";
import { normalised, randomNumbers } from "../../support/vector-index.ts";

describe("PairScan", () => {
  it("misses no pair from the threshold on, gives each once, and few others", async () => {
    const width = 40;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 2, max: 1300 }),
        fc.double({ min: 0.2, max: 0.95, noNaN: true }),
        async (seed, rows, threshold) => {
          const { normal } = randomNumbers(seed);
          const values = normalised(
            Float32Array.from({ length: rows * width }, () => 0.6 + normal()),
            width,
          );
          const scan = new PairScan(wasmKernel, rows, width);
          for (let row = 0; row < rows; row++) scan.add(values.subarray(row * width, (row + 1) * width));
          const found = new Set<number>();
          const middle = rows >> 1;
          for (const [first, end] of [
            [0, middle],
            [middle, rows],
          ] as const) {
            await scan.scan(first, end, threshold, (a, candidates) => {
              assert.ok(a >= first && a < end);
              for (const b of candidates) {
                assert.ok(b > a && !found.has(a * rows + b));
                found.add(a * rows + b);
              }
            });
          }
          let near = 0;
          for (let a = 0; a < rows; a++) {
            for (let b = a + 1; b < rows; b++) {
              let sum = 0;
              for (let i = 0; i < width; i++) sum += values[a * width + i]! * values[b * width + i]!;
              if (sum >= threshold) assert.ok(found.has(a * rows + b), `${a} and ${b}: ${sum}`);
              if (sum >= threshold - 0.05) near += 1;
            }
          }
          assert.ok(found.size <= near);
        },
      ),
      { numRuns: 8 },
    );
  });

  it("refuses numbers that are not finite", () => {
    const scan = new PairScan(wasmKernel, 1, 2);
    assert.throws(() => {
      scan.add(Float32Array.of(1, NaN));
    }, /row 0 is not finite/);
  });
});
