/** Decodes, resizes and normalises an image file as the image tower's input. */
import { preprocessImage } from "../../../lib/image/preprocess.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { readFixtures } from "../fixtures.ts";
import type { Mutation, Target } from "../target.ts";

const config = {
  size: [16, 16],
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  interpolation: "bicubic",
  resizeMode: "shortest",
  fillColor: 0,
} as const;

/** @param seeds the names of the fixtures to begin with */
export function imageTarget(seeds: RegExp, mutations: readonly Mutation[]): Target {
  const preprocess = preprocessImage(config, nodeCodecs(), { exifOrientation: true });
  return {
    seeds: readFixtures("images", seeds, 8192),
    mutations,
    async run(input) {
      const pixels = await preprocess(input, "image");
      if (pixels.length !== 3 * 16 * 16) throw new Error(`${pixels.length} numbers`);
      if (!pixels.every(Number.isFinite)) throw new Error("pixels that are not finite");
      return "pixels";
    },
    maxSize: 32_768,
  };
}
