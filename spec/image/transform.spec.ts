import assert from "node:assert/strict";
import type { DecodedImage } from "../../lib/image/image.ts";
import {
  roundHalfToEven,
  transform,
  transformPixels,
  type PreprocessConfig,
} from "../../lib/image/transform.ts";
import { pattern } from "../support/image-pattern.ts";

/** The statistics map 0…255 to -1…1. */
function config(size: number): PreprocessConfig {
  return {
    size: [size, size],
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    interpolation: "bicubic",
    resizeMode: "shortest",
    fillColor: 0,
  };
}

describe("transform", () => {
  it("crops the centre and normalises, channels first", () => {
    // Two rows of four pixels, red = 0, 51, 255, 0 and 0, 102, 204, 0. The shorter edge has 2 pixels already.
    const reds = [0, 51, 255, 0, 0, 102, 204, 0];
    const data = Uint8Array.from(reds.flatMap((red) => [red, 0, 255]));
    const image: DecodedImage = { width: 4, height: 2, mode: "RGB", stride: 3, data };
    assert.deepEqual(
      [...transformPixels(image, config(2))],
      [51, 255, 102, 204].flatMap((red) => [red, 0, 255]),
    );
    // (51 / 255 - 0.5) / 0.5 = -0.6, and so on: first all of red, then green, then blue.
    const expected = [-0.6, 1, -0.2, 0.6, -1, -1, -1, -1, 1, 1, 1, 1];
    const found = transform(image, config(2));
    assert.ok(
      expected.every((value, i) => Math.abs(value - found[i]!) < 1e-6),
      found.join(),
    );
  });

  it("pads with the fill colour", () => {
    const image: DecodedImage = {
      width: 3,
      height: 1,
      mode: "L",
      stride: 1,
      data: Uint8Array.of(10, 20, 30),
    };
    const pixels = transformPixels(image, { ...config(3), resizeMode: "longest", fillColor: 7 });
    assert.deepEqual(
      [...pixels].filter((_, i) => i % 3 === 0),
      [7, 7, 7, 10, 20, 30, 7, 7, 7],
    );
  });

  it("rounds halves to the even number, like Python", () => {
    const values = [0.5, 1.5, 2.5, 3.5, 2.4999, 2.5001, 7];
    assert.deepEqual(values.map(roundHalfToEven), [0, 2, 2, 4, 2, 3, 7]);
  });

  it("rounds each step of the normalisation to float32", () => {
    const image: DecodedImage = {
      width: 1,
      height: 1,
      mode: "RGB",
      stride: 3,
      data: Uint8Array.of(0, 128, 255),
    };
    const clip: PreprocessConfig = {
      ...config(1),
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
    };
    const f = Math.fround;
    const expected = [
      f(f(0 - f(0.48145466)) / f(0.26862954)),
      f(f(f(128 / 255) - f(0.4578275)) / f(0.26130258)),
      f(f(1 - f(0.40821073)) / f(0.27577711)),
    ];
    assert.deepEqual([...transform(image, clip)], expected);
  });

  it("ignores an unused fourth sample of RGB pixels", () => {
    const three = pattern("RGB", 40, 30);
    const data = new Uint8Array(40 * 30 * 4).map((_, i) =>
      i % 4 === 3 ? 99 : three.data[(i >> 2) * 3 + (i % 4)]!,
    );
    assert.deepEqual(transform({ ...three, data, stride: 4 }, config(16)), transform(three, config(16)));
  });
});
