import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input-error.ts";
import { preprocessImage } from "../../lib/image/preprocess.ts";
import type { PreprocessConfig } from "../../lib/image/transform.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";

describe("preprocessImage", () => {
  it("refuses an image that would have no pixels after the resize", async () => {
    // When the height of 1 x 300 pixels becomes 24, the width becomes 0.
    const config: PreprocessConfig = {
      size: [24, 24],
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      interpolation: "bicubic",
      resizeMode: "longest",
      fillColor: 0,
    };
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
        error instanceof InputError &&
        /line\.bmp: .*1 x 300 pixels, which would be resized to 0 x 24/.test(error.message),
    );
  });
});
