/** Groups of near-duplicates against all products in float64. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { findComponents } from "../../../../lib/node/retrieval/duplicates/find-duplicates.ts";
import { openIndex } from "../../../../lib/node/retrieval/open-index.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { normalised, randomNumbers, writeVectorIndex } from "../../../support/vector-index.ts";

/** Rows in a subspace, as embeddings nearly are, some of them near an earlier one. */
function collection(seed: number, rows: number, width: number): Float32Array {
  const { normal, uniform } = randomNumbers(seed);
  const rank = Math.min(24, width);
  const directions = Array.from({ length: rank }, () => Float32Array.from({ length: width }, normal));
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const at = row * width;
    if (row > 0 && uniform() < 0.1) {
      const from = Math.floor(uniform() * row);
      values.copyWithin(at, from * width, (from + 1) * width);
      const noise = 0.4 * uniform();
      for (let i = 0; i < width; i++) values[at + i]! += noise * normal() * 0.1;
      continue;
    }
    for (const direction of directions) {
      const share = 0.3 + normal();
      for (let i = 0; i < width; i++) values[at + i]! += share * direction[i]!;
    }
    for (let i = 0; i < width; i++) values[at + i]! += 0.3 * normal();
  }
  return normalised(values, width);
}

/** The components of the graph of all pairs, by its search. */
function components(values: Float32Array, width: number, threshold: number): number[][] {
  const rows = values.length / width;
  const neighbours = Array.from({ length: rows }, () => [] as number[]);
  for (let a = 0; a < rows; a++) {
    for (let b = a + 1; b < rows; b++) {
      let sum = 0;
      for (let i = 0, x = a * width, y = b * width; i < width; i++) sum += values[x + i]! * values[y + i]!;
      if (sum < threshold) continue;
      neighbours[a]!.push(b);
      neighbours[b]!.push(a);
    }
  }
  const seen = new Set<number>();
  const found: number[][] = [];
  for (let start = 0; start < rows; start++) {
    if (seen.has(start)) continue;
    const reached = new Set([start]);
    for (const at of reached) for (const next of neighbours[at]!) reached.add(next);
    for (const at of reached) seen.add(at);
    if (reached.size > 1) found.push([...reached].sort((x, y) => x - y));
  }
  return found;
}

describe("findComponents", () => {
  const folder = temporaryFolder();

  async function compare(values: Float32Array, width: number, threshold: number): Promise<number> {
    const path = folder.file(`index-${values.length}-${threshold}`);
    const index = await openIndex(await writeVectorIndex(path, values, width, 1700));
    try {
      const rows = values.length / width;
      const stored = await index.readRows(Array.from({ length: rows }, (_, id) => id));
      const { groups, compared } = await findComponents(index, {
        ...{ threshold, side: "image", journal: null, onProgress: () => undefined },
      });
      assert.equal(compared, rows);
      assert.deepEqual(groups, components(stored, width, threshold));
      return groups.length;
    } finally {
      await index.close();
    }
  }

  it("finds the connected components of all pairs from the threshold on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 400 }),
        fc.double({ min: 0.5, max: 0.99, noNaN: true }),
        async (seed, rows, threshold) => {
          await compare(collection(seed, rows, 48), 48, threshold);
        },
      ),
      { numRuns: 10 },
    );
  });

  it("finds them in reduced dimensions too, which larger collections are compared in", async () => {
    const groups = await compare(collection(7, 2100, 160), 160, 0.95);
    assert.ok(groups > 50);
  });
});
