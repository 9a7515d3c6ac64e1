import assert from "node:assert/strict";
import { fitRow, flatten } from "../../lib/retrieval/flatten.ts";

describe("flatten", () => {
  // As pandas.json_normalize([{…}]) names the columns.
  it("names leaves by their paths", () => {
    const document = { url: "u", size: { w: 3, h: { px: null } }, tags: ["a", 1], ok: true };
    assert.deepEqual(
      [...flatten(document)],
      [
        ["url", "u"],
        ["size.w", 3],
        ["size.h.px", null],
        ["tags", '["a",1]'],
        ["ok", true],
      ],
    );
  });
});

describe("fitRow", () => {
  const types = new Map([
    ["width", "integer"],
    ["score", "number"],
    ["NSFW", "text"],
  ] as const);

  it("keeps what has no column, or not its type, in rest", () => {
    const cells = new Map<string, string | number>([
      ["width", 1.5],
      ["score", 2],
      ["NSFW", 0],
      ["more", "x"],
    ]);
    assert.deepEqual(fitRow({ image_path: "a.png" }, cells, types), {
      image_path: "a.png",
      score: 2,
      NSFW: "0",
      rest: '{"width":1.5,"more":"x"}',
    });
  });

  it("a sample's own caption comes before that of its document; other own columns are not overwritten", () => {
    const cells = new Map([
      ["caption", "document"],
      ["url", "u"],
      ["key", "other"],
    ]);
    assert.deepEqual(fitRow({ caption: "file", key: "k" }, cells, types), {
      caption: "file",
      key: "k",
      url: "u",
    });
    assert.equal(fitRow({ caption: null }, cells, types)["caption"], "document");
  });
});
