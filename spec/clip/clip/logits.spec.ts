import { strict as assert } from "node:assert";
import { memory, tensor2d } from "@tensorflow/tfjs-core";
import { Clip } from "../../../lib/clip/clip.ts";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { openWeights } from "../../../lib/node/models/weights-file.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";
import { fixture } from "../../support/paths.ts";
import { assertValues } from "../../support/layers.ts";

describe("logits", () => {
  it("are exp(logit_scale) times the products of images and texts, and the tap logits_per_image", async () => {
    const directory = fixture("tiny/gelu-mlp");
    const { config, preprocess } = await readModelDirectory(directory);
    const file = await openWeights(directory);
    const model = new Clip({
      config,
      preprocess,
      loadTokenizer: () => Promise.reject(new Error("not used")),
      store: {
        name: file.name,
        tensors: file.tensors,
        metadata: file.metadata,
        read: () => Promise.resolve(new Uint8Array(Float32Array.of(Math.log(10)).buffer)), // of logit_scale
        close: () => file.close(),
      },
    });
    const before = memory().numTensors;
    const images = tensor2d([[1, 0], [0.6, 0.8]]); // prettier-ignore
    const texts = tensor2d([[0, 1], [1, 0], [-1, 0]]); // prettier-ignore
    const names: string[] = [];
    const logits = await withTaps(
      (name) => names.push(name),
      () => model.logits(images, texts),
    );
    assertValues(logits, [[0, 10, -10], [8, 6, -6]]); // prettier-ignore
    assert.deepEqual(names, ["logits_per_image"]);
    for (const tensor of [images, texts, logits]) tensor.dispose();
    model.weights.dispose();
    assert.equal(memory().numTensors, before);
    await model.dispose();
  });
});
