import assert from "node:assert/strict";
import { base64Size, fromBase64, toBase64 } from "../../lib/features/base64.ts";

describe("base64", () => {
  for (const length of [0, 1, 2, 3, 20_000]) {
    it(`is Node's for ${length} bytes`, () => {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
      const text = toBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString("base64"));
      assert.deepEqual(fromBase64(text), bytes);
      assert.equal(base64Size(text), length);
    });
  }
});
