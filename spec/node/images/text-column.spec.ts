import assert from "node:assert/strict";
import fc from "fast-check";
import { TextColumn } from "../../../lib/node/images/text-column.ts";

describe("TextColumn", () => {
  it("holds what was added, and the distinct texts in the order of their first cells", () => {
    const cells = fc.array(fc.constantFrom("a", "b", "", "猫", null));
    fc.assert(
      fc.property(cells, (given) => {
        const column = new TextColumn<string | null>();
        for (const text of given) column.add(text);
        assert.deepEqual([...column], given);
        assert.deepEqual(column.distinct, [...new Set(given)]);
        assert.equal(column.isComplete(), !given.includes(null));
      }),
    );
  });
});
