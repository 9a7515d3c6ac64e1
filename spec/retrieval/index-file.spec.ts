import assert from "node:assert/strict";
import { decodeIndexFile, encodeIndexFile, type IndexFile } from "../../lib/retrieval/index-file.ts";

const index: IndexFile = {
  generation: 2,
  width: 4,
  origin: { tap: "visual", model_sha256: "ab" },
  textOrigin: null,
  isAdopted: false,
  columns: [{ name: "image_path", type: "text" }],
  columnSets: [
    {
      name: "cat",
      folder: "columns/cat-0123456789ab",
      columns: [{ name: "cat", type: "number" }],
      description: "similarity to a cat",
      recipe: "0123456789abcdef",
      partitions: [3],
    },
  ],
  base: "/data",
  plans: [{ file: "plan.json", digest: "cd", first: 0, count: 2, isCompacted: true }],
  partitions: [
    { number: 3, rows: 10 },
    { number: 7, rows: 0 },
  ],
  next: 8,
};

describe("index.json", () => {
  it("comes back as it was written", () => {
    assert.deepEqual(decodeIndexFile(encodeIndexFile(index), "index.json"), index);
  });

  for (const [what, from, to, message] of [
    ["descending partitions", "[7,0]", "[2,0]", /expected ascending partitions below 8.*\[2, 0\] after 3/],
    ["a partition beyond the last", "[7,0]", "[8,0]", /below 8/],
    ["a later version", '"version":1', '"version":2', /expected version 1 .*found 2; install a newer/],
    ["another format", "clipscope-index", "clipscope-plan", /format to be "clipscope-index"/],
    ["an unknown type of column", '"text"}', '"blob"}', /columns\[0\]\.type to be "text", /],
  ] as const) {
    it(`refuses ${what}`, () => {
      const json = encodeIndexFile(index).replace(from, to);
      assert.throws(() => decodeIndexFile(json, "index.json"), { name: "InputError", message });
    });
  }
});
