import assert from "node:assert/strict";
import { parsePrompt } from "../../lib/guide/prompts.ts";

describe("parsePrompt", () => {
  for (const [given, text, weight] of [
    ["a cat", "a cat", 1],
    ["a cat:0.5", "a cat", 0.5],
    ["at 10:30:-.3", "at 10:30", -0.3],
    ["ratio 4:3 image", "ratio 4:3 image", 1],
    ["a cat: black", "a cat: black", 1],
  ] as const) {
    it(`reads ${JSON.stringify(given)}`, () => {
      assert.deepEqual(parsePrompt(given), { text, weight });
    });
  }
});
