/** The expected values are those of Pillow's Image.crop. */
import assert from "node:assert/strict";
import { crop } from "../../lib/image/crop.ts";
import type { DecodedImage } from "../../lib/image/image.ts";

describe("crop", () => {
  const gray: DecodedImage = {
    width: 3,
    height: 2,
    mode: "L",
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    stride: 1,
  };

  it("cuts out a rectangle", () => {
    const { width, height, data } = crop(gray, [1, 0, 3, 2]);
    assert.deepEqual([width, height, [...data]], [2, 2, [2, 3, 5, 6]]);
  });

  it("keeps all bands of a pixel", () => {
    const rgb: DecodedImage = {
      width: 2,
      height: 1,
      mode: "RGB",
      data: Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 0),
      stride: 4,
    };
    assert.deepEqual([...crop(rgb, [1, 0, 2, 1]).data], [4, 5, 6, 0]);
  });

  it("is black outside the image", () => {
    assert.deepEqual([...crop(gray, [-1, 1, 2, 3]).data], [0, 4, 5, 0, 0, 0]);
    assert.deepEqual([...crop(gray, [5, 5, 7, 6]).data], [0, 0]);
  });

  it("refuses a rectangle without pixels", () => {
    assert.throws(() => crop(gray, [1, 1, 1, 2]), RangeError);
  });
});
