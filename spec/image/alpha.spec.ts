import assert from "node:assert/strict";
import { multiply255, premultiply, unpremultiply } from "../../lib/image/alpha.ts";

describe("alpha", () => {
  it("multiplies like a rounded a * b / 255", () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) assert.equal(multiply255(a, b), Math.round((a * b) / 255));
    }
  });

  it("premultiplies colours and keeps alpha", () => {
    // 200 * 51 / 255 = 40.
    assert.deepEqual([...premultiply(Uint8Array.of(200, 51, 99, 0), 2)], [40, 51, 0, 0]);
  });

  it("divides by alpha, and clips", () => {
    const pixels = Uint8Array.of(40, 51, 90, 51, 7, 255, 3, 0);
    unpremultiply(pixels, 2, "kept");
    assert.deepEqual([...pixels], [200, 51, 255, 51, 7, 255, 3, 0]);
    unpremultiply(pixels, 2, "black");
    assert.deepEqual([...pixels.subarray(6)], [0, 0]);
  });
});
