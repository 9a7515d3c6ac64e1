import assert from "node:assert/strict";
import { similarNames } from "../../lib/eval/similar-names.ts";

describe("similarNames", () => {
  const known = ["retrieval", "vtab", "vtab+", "imagenet1k", "imagenetv2", "cars"];

  for (const [name, expected] of [
    ["retreival", ["retrieval"]],
    ["vtabplus", []],
    ["vtab++", ["vtab+"]],
    ["imagenet", ["imagenet1k", "imagenetv2"]],
    ["car", ["cars"]],
    ["x", []],
    ["something else", []],
    ["", []],
  ] as const) {
    it(`${name || "(empty)"}: ${expected.join(", ") || "none"}`, () => {
      assert.deepEqual(similarNames(name, known), expected);
    });
  }
});
