/** The pixels that transformers' and diffusers' own preparation gives (tools/golden/condition.py). */
import assert from "node:assert/strict";
import type { DecodedImage } from "../../lib/image/image.ts";
import { transform, type PreprocessConfig } from "../../lib/image/transform.ts";
import { prepareImage } from "../../lib/condition/prepare-image.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { conditionGolden, type ConditionGolden } from "../support/condition-golden.ts";

const configOf = (size: number): PreprocessConfig => ({
  size: [size, size],
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  interpolation: "bicubic",
  resizeMode: "shortest",
  fillColor: 0,
});

async function imagesOf(golden: ConditionGolden): Promise<DecodedImage[]> {
  const names = golden.names.filter((name) => name.startsWith("image."));
  return Promise.all(
    names.sort().map(async (name) => {
      const [height = 0, width = 0] = golden.shape(name);
      return { width, height, mode: "RGB" as const, data: await golden.bytes(name), stride: 3 };
    }),
  );
}

describe("preparation of images", () => {
  let golden: ConditionGolden;
  let images: DecodedImage[];
  before(async () => {
    golden = await conditionGolden();
    images = await imagesOf(golden);
    assert.equal(images.length, 5);
  });
  after(() => golden.close());

  it("gives the pixels of transformers' CLIPImageProcessor", async () => {
    for (const [i, image] of images.entries()) {
      const expected = await golden.floats(`transformers.${i}`);
      const found = prepareImage(image, configOf(28), "transformers");
      const { maxAbs } = compare(found, expected);
      assert.ok(maxAbs < 1e-6, `image ${i}: ${maxAbs}`);
    }
  });

  it("differs from open_clip's transform by one pixel of the crop where half the difference is odd", () => {
    const image = images[2]!; // 35 × 28: the crop begins at 3 here, at 4 in open_clip
    const ours = prepareImage(image, configOf(28), "transformers");
    const theirs = transform(image, configOf(28));
    assert.deepEqual(prepareImage(image, configOf(28), "open_clip"), theirs);
    for (let y = 0; y < 3 * 28; y++) {
      assert.deepEqual(ours.slice(y * 28 + 1, y * 28 + 28), theirs.slice(y * 28, y * 28 + 27));
    }
  });

  it("gives the pixels of Stable Video Diffusion's pipeline", async () => {
    for (const [i, image] of images.entries()) {
      const expected = await golden.floats(`svd.${i}`);
      const all = prepareImage(image, configOf(224), "svd");
      const found = expected.map((_, at) => {
        const [channel, y, x] = [Math.floor(at / 1024), Math.floor(at / 32) % 32, at % 32];
        return all[(channel * 224 + 7 * y) * 224 + 7 * x]!;
      });
      const { maxAbs } = compare(found, expected);
      assert.ok(maxAbs < 2e-5, `image ${i}: ${maxAbs}`);
    }
  });

  it("squashes with open_clip's transform", () => {
    const squashed = { ...configOf(28), resizeMode: "squash" as const };
    assert.deepEqual(prepareImage(images[0]!, configOf(28), "squash"), transform(images[0]!, squashed));
  });
});
