import assert from "node:assert/strict";
import fc from "fast-check";
import { DigestSet } from "../../../lib/node/retrieval/known-inputs.ts";

describe("DigestSet", () => {
  it("behaves as a set, also when it grows", () => {
    const texts = fc.array(fc.tuple(fc.boolean(), fc.nat(4000).map(String)), { maxLength: 3000 });
    fc.assert(
      fc.property(texts, (steps) => {
        const [digests, set] = [new DigestSet(), new Set<string>()];
        for (const [isAdded, text] of steps) {
          if (isAdded) digests.add(text);
          else digests.delete(text);
          if (isAdded) set.add(text);
          else set.delete(text);
        }
        for (let i = 0; i < 4000; i += 7) assert.equal(digests.has(`${i}`), set.has(`${i}`));
      }),
      { numRuns: 20 },
    );
  });
});
