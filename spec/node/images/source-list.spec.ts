import assert from "node:assert/strict";
import fc from "fast-check";
import { SourceList } from "../../../lib/node/images/source-list.ts";
import type { StoredImage } from "../../../lib/tasks/image-source.ts";

const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\0"));
const folder = fc.constantFrom("", "/", "a/", "a/b/", "album: 1/", "a/猫/");
const path = fc.tuple(folder, name).map(([of, last]) => of + last);
const part = fc.record(
  {
    name: path,
    file: fc.constantFrom("1.tar", "2.tar"),
    offset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    size: fc.nat(),
  },
  { noNullPrototype: true },
);
const sources = fc.array(fc.oneof(path, part), { maxLength: 200 });

function listOf(given: readonly StoredImage[]): SourceList {
  const list = new SourceList();
  for (const source of given) list.add(source);
  return list;
}

describe("SourceList", () => {
  it("holds what was added, like an array, in any order of reading", () => {
    fc.assert(
      fc.property(sources, fc.nat(300), fc.array(fc.integer({ min: 0, max: 300 })), (given, start, reads) => {
        const list = listOf(given);
        assert.deepEqual([...list], given);
        for (const i of reads) assert.deepEqual(list.at(i), given[i]);
        const rest = list.slice(start);
        assert.deepEqual([rest.length, [...rest]], [given.slice(start).length, given.slice(start)]);
        assert.deepEqual([...rest.slice(3)], given.slice(start).slice(3));
        for (const i of reads) assert.deepEqual(rest.at(i), given.slice(start)[i]);
      }),
    );
  });

  it("can be read while it grows", () => {
    const list = listOf(["a/1", "a/2"]);
    assert.equal(list.at(1), "a/2");
    list.add("a/3");
    assert.deepEqual([...list], ["a/1", "a/2", "a/3"]);
  });

  it("holds groups of more than a thousand names", () => {
    const given = Array.from({ length: 5000 }, (_, i) => `${i < 3000 ? "a" : "b"}/${i}.png`);
    const list = listOf(given);
    assert.deepEqual([...list], given);
    for (const i of [0, 1023, 1024, 2999, 3000, 4999]) assert.equal(list.at(i), given[i]);
    assert.deepEqual([list.at(-1), list.at(5000), list.length], [undefined, undefined, 5000]);
  });
});
