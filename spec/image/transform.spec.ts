import assert from "node:assert/strict";
import { parsePreprocessConfig } from "../../lib/clip/config/preprocess-config.ts";
import type { DecodedImage } from "../../lib/image/image.ts";
import { preprocessImage } from "../../lib/image/preprocess.ts";
import { crop, resize } from "../../lib/image/resize.ts";
import { roundHalfToEven, transform } from "../../lib/image/transform.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { InputError } from "../../lib/errors/input-error.ts";

/** Something without symmetry, in any mode of 8-bit samples. */
function pattern(mode: "P" | "L" | "LA" | "RGB" | "RGBA", width: number, height: number): DecodedImage {
  const stride = { P: 1, L: 1, LA: 2, RGB: 3, RGBA: 4 }[mode];
  const data = Uint8Array.from({ length: width * height * stride }, (_, i) => (i * i * 31 + i * 7) % 256);
  return { width, height, mode, data, stride };
}

describe("transform", () => {
  it("rounds halves to the even number, as Python does", () => {
    const values = [0.5, 1.5, 2.5, 3.5, 2.4999, 2.5001, 7];
    assert.deepEqual(values.map(roundHalfToEven), [0, 2, 2, 4, 2, 3, 7]);
  });

  it("normalises in float32, channels first", () => {
    const image: DecodedImage = {
      width: 1,
      height: 1,
      mode: "RGB",
      stride: 3,
      data: Uint8Array.of(0, 128, 255),
    };
    const f = Math.fround;
    const expected = [
      f(f(0 - f(0.48145466)) / f(0.26862954)),
      f(f(f(128 / 255) - f(0.4578275)) / f(0.26130258)),
      f(f(1 - f(0.40821073)) / f(0.27577711)),
    ];
    assert.deepEqual([...transform(image, parsePreprocessConfig({}, 1, "x"))], expected);
  });

  it("has the same result whether the unused fourth sample of a pixel is there or not", () => {
    const three = pattern("RGB", 40, 30);
    const data = new Uint8Array(40 * 30 * 4).map((_, i) =>
      i % 4 === 3 ? 99 : three.data[(i >> 2) * 3 + (i % 4)]!,
    );
    const config = parsePreprocessConfig({}, 16, "x");
    assert.deepEqual(transform({ ...three, data, stride: 4 }, config), transform(three, config));
  });

  it("refuses a picture of which nothing would be left", async () => {
    // A 1 x 300 gray PNG cannot keep a pixel of width when its height becomes 24.
    const config = parsePreprocessConfig({ resize_mode: "longest" }, 24, "x");
    const bmp = new Uint8Array(54 + 300 * 4);
    const view = new DataView(bmp.buffer);
    bmp.set([0x42, 0x4d]);
    view.setUint32(10, 54, true);
    view.setUint32(14, 40, true);
    view.setUint32(18, 1, true);
    view.setUint32(22, 300, true);
    view.setUint16(28, 24, true);
    await assert.rejects(
      preprocessImage(config, nodeCodecs())(bmp, "line.bmp"),
      (error) =>
        error instanceof InputError && /line\.bmp: .*1 x 300 pixels shrink to 0 x 24/.test(error.message),
    );
  });
});

describe("resize", () => {
  const window = { left: 5, top: 3, width: 11, height: 8 };

  for (const mode of ["P", "L", "LA", "RGB", "RGBA"] as const) {
    it(`computes a window as the whole picture's part: ${mode}`, () => {
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

  it("keeps a flat picture flat", () => {
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
