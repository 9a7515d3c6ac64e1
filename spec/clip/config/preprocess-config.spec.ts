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

  it("takes what open_clip takes", () => {
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

  it("names what it does not implement", () => {
    const bad: readonly (readonly [unknown, RegExp])[] = [
      ["bicubic", /preprocess_cfg: expected an object, found "bicubic"/],
      [[], /preprocess_cfg: expected an object/],
      [{ crop_pct: 0.9 }, /preprocess_cfg: expected only size, .*found "crop_pct"/],
      [{ mode: "L" }, /preprocess_cfg\.mode: expected one of RGB, found "L"/],
      [{ interpolation: "lanczos" }, /preprocess_cfg\.interpolation: .*found "lanczos"/],
      [{ resize_mode: "crop" }, /preprocess_cfg\.resize_mode: .*found "crop"/],
      [{ mean: [1, 2] }, /preprocess_cfg\.mean: expected three numbers/],
      [{ mean: ["a", 0, 0] }, /preprocess_cfg\.mean/],
      [{ std: [1, 0, 1] }, /preprocess_cfg\.std: expected three positive numbers/],
      [{ fill_color: 300 }, /preprocess_cfg\.fill_color/],
      [{ size: "large" }, /preprocess_cfg\.size/],
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
