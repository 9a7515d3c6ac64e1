import assert from "node:assert/strict";
import { upsample } from "../../../../lib/image/formats/jpeg/upsampling.ts";

function plane(width: number, ...samples: number[]) {
  return { data: Uint8Array.from(samples), stride: width, width, height: samples.length / width };
}

describe("upsample", () => {
  it("doubles the width with three quarters of the nearer and one quarter of the farther sample", () => {
    // Between 0, 40 and 80: 0, 10, 30, 50, 70, 80.
    const { data } = upsample(plane(3, 0, 40, 80), 2, 1);
    assert.deepEqual([...data], [0, 10, 30, 50, 70, 80]);
  });

  it("doubles the height in the same way", () => {
    const { data } = upsample(plane(1, 0, 40), 1, 2);
    assert.deepEqual([...data], [0, 10, 30, 40]);
  });

  it("repeats samples for other factors, and in planes of 2 columns", () => {
    assert.deepEqual([...upsample(plane(2, 1, 2), 2, 1).data], [1, 1, 2, 2]);
    assert.deepEqual([...upsample(plane(3, 1, 2, 3), 3, 1).data], [1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });
});
