import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { embedLoadedImages, embedLoadedImageTaps, type LoadedImage } from "../../lib/tasks/embed-images.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

/** Images of one shade each; null cannot be read. */
async function* loaded(shades: readonly (number | null)[]): AsyncGenerator<LoadedImage> {
  for (const [i, shade] of shades.entries()) {
    const path = `image ${i}`;
    await Promise.resolve();
    if (shade === null) yield { path, error: new InputError(`${path}: damaged`) };
    else yield { path, pixels: new Float32Array(3 * 28 * 42).fill(shade) };
  }
}

describe("images that a host has read", () => {
  let model: Clip;
  before(async () => {
    model = await openTinyClip();
  });
  after(() => model.dispose());

  it("are embedded in batches, with their positions among all", async () => {
    const batches: object[] = [];
    const errors: string[] = [];
    const progress: number[] = [];
    const options = {
      batchSize: 2,
      onError: ({ message }: InputError) => errors.push(message),
      onProgress: (done: number) => progress.push(done),
    };
    for await (const { features, ...batch } of embedLoadedImages(
      model,
      loaded([0, null, 1, 2, null]),
      options,
    )) {
      batches.push({ ...batch, shape: features.shape });
      features.dispose();
    }
    assert.deepEqual(batches, [
      { paths: ["image 0", "image 2"], indices: [0, 2], done: 3, shape: [2, 24] },
      { paths: ["image 3"], indices: [3], done: 5, shape: [1, 24] },
    ]);
    assert.deepEqual(errors, ["image 1: damaged", "image 4: damaged"]);
    assert.deepEqual(progress, [3, 5]);
  });

  it("give several taps of one pass, and an error for an unknown one", async () => {
    const before = memory().numTensors;
    const taps = ["visual", "visual.ln_post"];
    for await (const { features } of embedLoadedImageTaps(model, loaded([0, 1]), taps)) {
      assert.deepEqual(
        features.map(({ shape }) => shape),
        [
          [2, 24],
          [2, 40],
        ],
      );
      for (const tensor of features) tensor.dispose();
    }
    await assert.rejects(embedLoadedImages(model, loaded([0]), { tap: "visual.none" }).next(), {
      message: 'no tap "visual.none"; choose one of these',
    });
    assert.equal(memory().numTensors, before);
  });
});
