import assert from "node:assert/strict";
import fc from "fast-check";
import { Tombstones } from "../../lib/retrieval/tombstones.ts";

describe("Tombstones", () => {
  it("behave as a set of ids, also from a file", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), fc.nat(200), fc.nat(200), (ids, start, end) => {
        const set = new Set(ids);
        const deleted = new Tombstones();
        for (const id of ids) deleted.add(id);
        for (const of of [deleted, Tombstones.decode(deleted.encode(3, 201), 3, "deleted.bin")]) {
          assert.equal(of.count, set.size);
          for (let id = 0; id < 210; id++) assert.equal(of.has(id), set.has(id));
          assert.equal(of.countIn(start, end), [...set].filter((id) => id >= start && id < end).length);
        }
      }),
    );
  });

  it("of another generation do not count", () => {
    const deleted = new Tombstones();
    deleted.add(1);
    assert.equal(Tombstones.decode(deleted.encode(0, 8), 1, "deleted.bin").count, 0);
  });

  it("refuse a file that is cut short", () => {
    const bytes = new Tombstones().encode(0, 100);
    assert.throws(() => Tombstones.decode(bytes.subarray(0, -1), 0, "deleted.bin"), {
      name: "InputError",
      message: /^deleted\.bin: expected a whole file/,
    });
  });
});
