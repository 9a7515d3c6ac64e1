import assert from "node:assert/strict";
import fc from "fast-check";
import { DistinctRows, maximalMarginalRelevance, rowProduct } from "../../lib/retrieval/diversity.ts";

/** Unit vectors near a few centres, whose products are on both sides of any threshold. */
function clustered(count: number, width: number, seed: number): Float32Array {
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const centres = Array.from({ length: 5 }, () => Array.from({ length: width }, random));
  const vectors = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    const spread = 0.7 * (random() + 0.5);
    const vector = centres[row % centres.length]!.map((value) => value + spread * random());
    const norm = Math.hypot(...vector);
    vectors.set(
      vector.map((value) => value / norm),
      row * width,
    );
  }
  return vectors;
}

describe("DistinctRows", () => {
  it("keeps the rows that a comparison with all kept ones keeps", () => {
    const sizes = fc.record({
      count: fc.integer({ min: 1, max: 300 }),
      width: fc.integer({ min: 1, max: 130 }),
      seed: fc.nat(),
      threshold: fc.double({ min: 0.5, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(sizes, ({ count, width, seed, threshold }) => {
        const vectors = clustered(count, width, seed);
        const distinct = new DistinctRows(width, threshold);
        const kept: number[] = [];
        for (let row = 0; row < count; row++) {
          const isNear = kept.some((other) => rowProduct(vectors, row, vectors, other, width) >= threshold);
          if (!isNear) kept.push(row);
          assert.equal(distinct.add(vectors, row), !isNear, `row ${row}`);
        }
        assert.equal(distinct.count, kept.length);
        const expected = kept.flatMap((row) => [...vectors.subarray(row * width, (row + 1) * width)]);
        assert.deepEqual([...distinct.vectors], expected);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps all rows without a threshold", () => {
    const distinct = new DistinctRows(2, Infinity);
    for (let i = 0; i < 100; i++) assert.equal(distinct.add(Float32Array.of(1, 0), 0), true);
    assert.equal(distinct.count, 100);
  });
});

describe("maximalMarginalRelevance", () => {
  it("prefers a row that differs over a better one that does not", () => {
    const vectors = Float32Array.of(1, 0, 0.99, 0.14, 0, 1);
    const scores = [0.9, 0.89, 0.6];
    assert.deepEqual(maximalMarginalRelevance(scores, vectors, 2, 3, 0), [0, 1, 2]);
    assert.deepEqual(maximalMarginalRelevance(scores, vectors, 2, 2, 0.5), [0, 2]);
  });
});
