import assert from "node:assert/strict";
import fc from "fast-check";
import { DisjointSets } from "../../../lib/retrieval/duplicates/disjoint-sets.ts";

describe("DisjointSets", () => {
  it("has the components that a search of the graph finds, each named by its least element", () => {
    const edges = fc.array(fc.tuple(fc.nat(39), fc.nat(39)), { maxLength: 50 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const sets = new DisjointSets(40);
        for (const [a, b] of pairs) sets.join(a, b);
        for (let start = 0; start < 40; start++) {
          const reached = new Set([start]);
          for (const at of reached)
            for (const [a, b] of pairs)
              if (a === at) reached.add(b);
              else if (b === at) reached.add(a);
          assert.equal(sets.find(start), Math.min(...reached));
        }
      }),
    );
  });

  it("tells whether two elements were apart", () => {
    const sets = new DisjointSets(3);
    assert.deepEqual([sets.join(0, 2), sets.join(2, 0), sets.join(1, 2)], [true, false, true]);
  });
});
