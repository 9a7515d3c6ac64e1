import assert from "node:assert/strict";
import { parsePreprocessConfig } from "../../../lib/clip/config/preprocess-config.ts";
import { InputError } from "../../../lib/errors/input-error.ts";

function parse(cfg: unknown) {
  return parsePreprocessConfig(cfg, 224, "open_clip_config.json");
}

describe("parsePreprocessConfig", () => {
  it("is CLIP's by default", () => {
    const config = {
      size: [224, 224],
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
      interpolation: "bicubic",
      resizeMode: "shortest",
      fillColor: 0,
    };
    assert.deepEqual(parse(undefined), config);
    assert.deepEqual(parse({ mean: null, interpolation: null }), config);
  });

  it("accepts open_clip's options", () => {
    const config = parse({
      size: 384,
      mode: "RGB",
      mean: [0.5, 0.4, 0.3],
      std: 0.5,
      interpolation: "bilinear",
      resize_mode: "longest",
      fill_color: 127,
    });
    assert.deepEqual(config, {
      // The image tower decides, not the file's size.
      size: [224, 224],
      mean: [0.5, 0.4, 0.3],
      std: [0.5, 0.5, 0.5],
      interpolation: "bilinear",
      resizeMode: "longest",
      fillColor: 127,
    });
    assert.equal(parse({ interpolation: "random" }).interpolation, "bicubic");
    assert.deepEqual(parsePreprocessConfig({}, [240, 320], "x").size, [240, 320]);
  });

  it("names options that are not implemented", () => {
    const bad: readonly (readonly [unknown, RegExp])[] = [
      ["bicubic", /preprocess_cfg: expected an object, found "bicubic"/],
      [[], /preprocess_cfg: expected an object/],
      [{ crop_pct: 0.9 }, /preprocess_cfg: expected crop_pct to be absent, found 0\.9/],
      [{ mode: "L" }, /preprocess_cfg: expected mode to be "RGB", found "L"/],
      [
        { interpolation: "lanczos" },
        /interpolation to be "bicubic", "bilinear" or "random", found "lanczos"/,
      ],
      [{ resize_mode: "crop" }, /resize_mode to be .*, found "crop"/],
      [{ mean: [1, 2] }, /mean to be three numbers, for R, G and B, found \[1, 2\]/],
      [{ mean: ["a", 0, 0] }, /mean\[0\] to be a number, found "a"/],
      [{ std: [1, 0, 1] }, /std to be positive numbers, found \[1, 0, 1\]/],
      [{ fill_color: 300 }, /fill_color to be a whole number from 0 to 255, found 300/],
      [{ size: "large" }, /size to be a whole number of at least 1, found "large"/],
      [{ size: [1, 2, 3] }, /size to be a number of pixels or \[height, width\], found \[1, 2, 3\]/],
    ];
    for (const [cfg, message] of bad) {
      assert.throws(
        () => parse(cfg),
        (error) => error instanceof InputError && message.test(error.message),
        JSON.stringify(cfg),
      );
    }
  });
});
