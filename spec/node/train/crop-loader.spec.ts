/** The order of examples, the crops and the pixels of open_clip's training loader (tools/golden/training_crops.py). */
import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadCrops } from "../../../lib/node/train/crop-loader.ts";
import { parseAugmentation } from "../../../cli/options/aug-cfg.ts";
import { PythonRandom } from "../../../lib/tensor/python-random.ts";
import { TorchRandom } from "../../../lib/tensor/torch-random.ts";
import { fixture } from "../../support/paths.ts";

interface Golden {
  readonly seed: number;
  readonly size: number;
  readonly batch: number;
  readonly files: readonly string[];
  readonly runs: readonly {
    readonly workers: number;
    /** As open_clip's --aug-cfg; null for its default. */
    readonly augmentation: Readonly<Record<string, number | readonly number[]>> | null;
    readonly epochs: readonly (readonly [index: number, crop: readonly number[], digest: string])[][];
  }[];
}

const golden = JSON.parse(readFileSync(fixture("training/crops.json"), "utf8")) as Golden;
const config = {
  size: [golden.size, golden.size],
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  interpolation: "bicubic",
  resizeMode: "shortest",
  fillColor: 0,
} as const;

describe("loadCrops", () => {
  for (const { workers, augmentation: given, epochs } of golden.runs) {
    const kind = given === null ? "" : ", colour jitter and greyscale";
    it(`has open_clip's order of examples and its pixels, with ${workers} workers${kind}`, async () => {
      const torch = new TorchRandom(golden.seed);
      const random = { torch, python: PythonRandom.seeded(BigInt(golden.seed)) };
      const augmentation = parseAugmentation(
        Object.entries(given ?? {}).map(([key, value]) => `${key}=(${String(value)})`),
      );
      const images = golden.files.map((file) => fixture(`images/${file}`));
      for (const epoch of epochs) {
        const { order, workerSeed } = torch.loaderEpoch(images.length);
        const batches = Array.from({ length: Math.floor(images.length / golden.batch) }, (_, i) =>
          order.slice(i * golden.batch, (i + 1) * golden.batch),
        );
        assert.deepEqual(
          batches.flat(),
          epoch.map(([index]) => index),
        );
        const options = { config, convertToRgbFirst: false, augmentation, workers, workerSeed, random };
        let at = 0;
        for await (const pixels of loadCrops(images, batches, options)) {
          const perImage = pixels.length / golden.batch;
          for (let i = 0; i < golden.batch; i++, at++) {
            const own = pixels.slice(i * perImage, (i + 1) * perImage);
            const [index, crop, digest] = epoch[at]!;
            const ours = createHash("sha256").update(new Uint8Array(own.buffer)).digest("hex");
            assert.equal(ours, digest, `${golden.files[index]!}, crop ${crop.join(", ")}`);
          }
        }
        assert.equal(at, epoch.length);
      }
    });
  }
});
