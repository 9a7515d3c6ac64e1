import assert from "node:assert/strict";
import fc from "fast-check";
import { principalBasis, reduceRow, reductionOf } from "../../../lib/retrieval/duplicates/reduction.ts";
import { normalised, randomNumbers } from "../../support/vector-index.ts";

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("reductionOf", () => {
  it("keeps norms, and bounds dot products from above, for rows in and outside of the subspace", () => {
    const cases = fc.record({
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
      width: fc.integer({ min: 4, max: 80 }),
      sample: fc.integer({ min: 1, max: 60 }),
      count: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, width, sample, count }) => {
        const { normal } = randomNumbers(seed);
        const values = normalised(
          Float32Array.from({ length: (sample + 4) * width }, () => 0.5 + normal()),
          width,
        );
        const basis = principalBasis(values.slice(0, sample * width), width, count);
        const reduction = reductionOf(basis);
        assert.ok(reduction.width <= count + 1);
        // The first rows are in the sample, so their rest is small or 0 where cancellation would show.
        const rows = [0, 1, sample, sample + 1, sample + 3].map((row) =>
          values.slice(row * width, (row + 1) * width),
        );
        const reduced = rows.map((row) => {
          const into = new Float32Array(reduction.width);
          reduceRow(reduction, row, into);
          return into;
        });
        for (const [i, x] of rows.entries()) {
          assert.ok(Math.abs(dot(reduced[i]!, reduced[i]!) - dot(x, x)) < 1e-6);
          for (const [j, y] of rows.entries()) assert.ok(dot(reduced[i]!, reduced[j]!) >= dot(x, y) - 1e-6);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is tight where the rows are in the subspace", () => {
    const values = normalised(
      Float32Array.from({ length: 3 * 8 }, (_, i) => ((i * 7) % 5) + 1),
      8,
    );
    const reduction = reductionOf(principalBasis(values, 8, 3));
    const [a, b] = [0, 1].map((row) => {
      const into = new Float32Array(reduction.width);
      reduceRow(reduction, values.subarray(row * 8, (row + 1) * 8), into);
      return into;
    });
    assert.ok(Math.abs(dot(a!, b!) - dot(values.slice(0, 8), values.slice(8, 16))) < 1e-6);
  });
});
