import assert from "node:assert/strict";
import fc from "fast-check";
import { GlobalIds } from "../../lib/retrieval/global-ids.ts";

describe("GlobalIds", () => {
  it("places rows in partitions, one after the other", () => {
    const ids = new GlobalIds([3, 0, 2]);
    assert.equal(ids.rows, 5);
    assert.deepEqual(
      [0, 2, 3, 4].map((id) => ids.locate(id)),
      [
        { partition: 0, row: 0 },
        { partition: 0, row: 2 },
        { partition: 2, row: 0 },
        { partition: 2, row: 1 },
      ],
    );
  });

  it("agrees with counting, for any partitions", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 12 }), (rows) => {
        const places = rows.flatMap((count, partition) =>
          Array.from({ length: count }, (_, row) => ({ partition, row })),
        );
        const ids = new GlobalIds(rows);
        assert.deepEqual(
          places.map((_, id) => ids.locate(id)),
          places,
        );
      }),
    );
  });

  for (const id of [-1, 5, 0.5, NaN]) {
    it(`refuses ${id}`, () => {
      assert.throws(() => new GlobalIds([5]).locate(id), {
        name: "InputError",
        message: /from 0 to 4, found/,
      });
    });
  }
});
