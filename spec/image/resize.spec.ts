import assert from "node:assert/strict";
import type { DecodedImage } from "../../lib/image/image.ts";
import { crop, resize } from "../../lib/image/resize.ts";
import { pattern } from "../support/image-pattern.ts";

function row(...levels: number[]): DecodedImage {
  return { width: levels.length, height: 1, mode: "L", stride: 1, data: Uint8Array.from(levels) };
}

describe("crop", () => {
  it("returns the window's pixels", () => {
    const { data } = crop(row(1, 2, 3, 4), { left: 1, top: 0, width: 2, height: 1 });
    assert.deepEqual([...data], [2, 3]);
  });
});

describe("resize", () => {
  it("averages with the weights of the kernel", () => {
    // Four pixels to two with the triangle of half width 2. Output 0 has its centre at 1.0, so the pixels with centres
    // 0.5, 1.5 and 2.5 weigh 0.75, 0.75 and 0.25: (3 * 7 + 3 * 14 + 21) / 7 = 12. Output 1: (14 + 3 * 21 + 3 * 70) / 7.
    const window = { left: 0, top: 0, width: 2, height: 1 };
    const { data } = resize(row(7, 14, 21, 70), { width: 2, height: 1 }, "bilinear", window);
    assert.deepEqual([...data], [12, 41]);
  });

  it("takes the nearest pixels of a palette image", () => {
    // Output 0 has its centre at 0.75 input pixels, output 1 at 2.25.
    const window = { left: 0, top: 0, width: 2, height: 1 };
    const { data } = resize({ ...row(5, 6, 7), mode: "P" }, { width: 2, height: 1 }, "bicubic", window);
    assert.deepEqual([...data], [5, 7]);
  });

  const window = { left: 5, top: 3, width: 11, height: 8 };

  for (const mode of ["P", "L", "LA", "RGB", "RGBA"] as const) {
    it(`gives the same pixels for a window as for the whole image: ${mode}`, () => {
      for (const [width, height] of [
        [50, 41],
        [12, 9],
        [23, 60],
        [40, 17],
      ] as const) {
        const image = pattern(mode, width, height);
        const size = { width: 23, height: 17 };
        const whole = resize(image, size, "bicubic", { left: 0, top: 0, ...size });
        const part = resize(image, size, "bicubic", window);
        assert.deepEqual(part, crop(whole, window), `${width} x ${height}`);
      }
    });
  }

  it("keeps an image of one colour unchanged", () => {
    const flat: DecodedImage = { ...pattern("RGB", 31, 29), data: new Uint8Array(31 * 29 * 3).fill(201) };
    const { data } = resize(flat, { width: 7, height: 90 }, "bicubic", {
      left: 0,
      top: 0,
      width: 7,
      height: 90,
    });
    assert.ok(data.every((value) => value === 201));
  });
});
