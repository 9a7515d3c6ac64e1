import assert from "node:assert/strict";
import { blockSize, inverseDct } from "../../../../lib/image/formats/jpeg/inverse-dct.ts";

describe("inverseDct", () => {
  it("spreads the first coefficient over the block", () => {
    // The first basis function is 1/8 everywhere.
    const block = new Int32Array(blockSize);
    block[0] = 80;
    inverseDct(block);
    assert.deepEqual([...block], new Array<number>(blockSize).fill(10));
  });

  it("is within one level of the definition of the inverse DCT", () => {
    const coefficients = Int32Array.from({ length: blockSize }, (_, i) => ((i * 37) % 41) - 20);
    const block = coefficients.slice();
    inverseDct(block);
    const scale = (k: number): number => (k === 0 ? Math.SQRT1_2 : 1) / 2;
    const wave = (x: number, k: number): number => scale(k) * Math.cos(((2 * x + 1) * k * Math.PI) / 16);
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        let sum = 0;
        for (let v = 0; v < 8; v++) {
          for (let u = 0; u < 8; u++) sum += wave(y, v) * wave(x, u) * coefficients[v * 8 + u]!;
        }
        assert.ok(Math.abs(block[y * 8 + x]! - sum) < 1, `row ${y}, column ${x}`);
      }
    }
  });
});
