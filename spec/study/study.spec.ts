import { strict as assert } from "node:assert";
import { memory, slice, tensor2d, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { studyImage } from "../../lib/study/study.ts";
import { ZeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { assertNear } from "../support/near.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";
import { valuesOf } from "../support/values.ts";

describe("studyImage", () => {
  let model: Clip;
  let pixels: Tensor4D;
  let classifier: ZeroShotClassifier;
  before(async () => {
    model = await loadTiny("gelu-mlp"); // three layers of two heads
    const golden = await openGolden(tinyGolden("gelu-mlp"));
    const images = golden.readImage()!;
    pixels = slice(images, [0, 0, 0, 0], [1, -1, -1, -1]);
    images.dispose();
    await golden.close();
    const numbers = Array.from({ length: 24 * 3 }, (_, i) => Math.sin(i) / 4);
    classifier = new ZeroShotClassifier(model, ["a", "b", "c"], tensor2d(numbers, [24, 3]));
  });
  after(async () => {
    pixels.dispose();
    classifier.dispose();
    await model.dispose();
  });

  it("never reads a tensor synchronously, and leaves none behind", async () => {
    await withoutBlockingReads(() => studyImage(model, pixels, { classifier })); // loads the weights
    const before = memory().numTensors;
    const { figures } = await withoutBlockingReads(() => studyImage(model, pixels, { classifier }));
    assert.deepEqual(
      [...figures.keys()],
      ["attention-layer-2", "attention-rollout", "patch-filters", "position-similarity", "layer-answers"],
    );
    assert.equal(memory().numTensors, before);
  });

  it("answers after the last layer as the whole model does", async () => {
    const { answers } = await studyImage(model, pixels, { classifier });
    assert.equal(answers?.length, 3);
    const features = await model.encodeImage(pixels, { normalize: true });
    const expected = await valuesOf(classifier.probabilities(features));
    features.dispose();
    assertNear([...answers.at(-1)!], [...expected], 1e-5);
    for (const ofLayer of answers) assertNear([ofLayer.reduce((a, b) => a + b)], [1], 1e-5);
  });

  it("shows the given layer and head, and has no answers without a classifier", async () => {
    const { figures, answers } = await studyImage(model, pixels, { layer: 0, head: 1 });
    assert.ok(figures.has("attention-layer-0-head-1"));
    assert.equal(answers, null);
  });

  it("refuses a layer and a head that the model does not have", async () => {
    for (const [options, message] of [
      [{ layer: 3 }, /layer 3: the image tower has the layers 0 to 2/],
      [{ head: 2 }, /head 2: a layer of the image tower has the heads 0 to 1/],
    ] as const) {
      await assert.rejects(studyImage(model, pixels, options), (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        return true;
      });
    }
  });
});
