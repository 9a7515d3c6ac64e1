/** What a model holds on to when something goes wrong in the middle: nothing. */
import { strict as assert } from "node:assert";
import { keep, memory, zeros, type Rank, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import { Clip } from "../../lib/clip/clip.ts";
import { gradients } from "../../lib/clip/gradients.ts";
import { contrastiveLoss } from "../../lib/clip/loss.ts";
import { embedImage } from "../../lib/node/images/embed-images.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { openWeights, readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { embedTextTaps } from "../../lib/tasks/embed-texts.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import { fixture } from "../support/paths.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

const directory = fixture("tiny/gelu-mlp");
const pixelsOf = (batch: number): Tensor4D => zeros<Rank.R4>([batch, 3, 28, 42]);
const text = [[0, 5, 9, 2]];

/** A model of which one tensor cannot be read, while all others take a moment. */
async function damaged(unreadable: string, residency: Residency): Promise<Clip> {
  const { config, preprocess } = await readModelDirectory(directory);
  const file = await openWeights(directory);
  const store: TensorStore = {
    name: file.name,
    tensors: file.tensors,
    metadata: file.metadata,
    read: async (name, ...range) => {
      if (name === unreadable) throw new InputError("the disk is gone");
      await new Promise((done) => setTimeout(done, 2));
      return file.read(name, ...range);
    },
    close: () => file.close(),
  };
  const loadTokenizer = (): Promise<never> => Promise.reject(new Error("not used"));
  return new Clip({ config, store, preprocess, loadTokenizer, residency });
}

describe("a pass that fails", () => {
  let pixels: Tensor4D;
  before(() => {
    pixels = pixelsOf(1);
  });
  after(() => {
    pixels.dispose();
  });

  for (const name of [
    "visual.conv1.weight",
    "visual.transformer.resblocks.1.ln_2.weight",
    "text.transformer.embeddings.LayerNorm.weight",
    "text.transformer.embeddings.word_embeddings.weight",
    "text.proj.2.weight",
  ]) {
    it(`gives back what it loaded beside ${name}, also what arrives late`, async () => {
      const before = memory().numTensors;
      const model = await damaged(name, "streamed");
      const failing = name.startsWith("visual") ? model.encodeImage(pixels) : model.encodeTokens(text);
      await assert.rejects(failing, /the disk is gone/);
      assert.equal(memory().numTensors, before);
      await new Promise((done) => setTimeout(done, 10));
      assert.equal(memory().numTensors, before);
      await model.dispose();
    });
  }

  it("leaves no tensor behind, at whatever tap a sink throws", async () => {
    const model = await loadModel(directory, { weights: "streamed" });
    const both = async (): Promise<void> => {
      (await model.encodeImage(pixels, { normalize: true })).dispose();
      (await model.encodeTokens(text, { normalize: true })).dispose();
    };
    const names: string[] = [];
    await withTaps((name) => names.push(name), both);
    assert.ok(names.length > 50);
    const before = memory().numTensors;
    for (const name of names) {
      const sink = (tap: string): void => {
        if (tap === name) throw new Error("the sink is full");
      };
      await assert.rejects(withTaps(sink, both), /the sink is full/);
      assert.equal(memory().numTensors, before, name);
    }
    await model.dispose();
  });

  it("is refused before it begins where the inputs do not fit", async () => {
    const model = await loadModel(directory);
    const integers = zeros<Rank.R4>([1, 3, 28, 42], "int32");
    const none = pixelsOf(0);
    await assert.rejects(model.encodeImage(integers), /expected float32 pixels, normalised, got int32/);
    await assert.rejects(model.encodeImage(none), /\[B, 3, 28, 42\], got \[0,3,28,42\]/);
    await assert.rejects(
      model.encodeTokens(text, { batchSize: 0 }),
      /encodeTokens: batchSize: expected a whole number of at least 1, found the number 0/,
    );
    await assert.rejects(gradients(model, { pixels: none }, contrastiveLoss), InputError);
    await assert.rejects(gradients(model, { rows: [] }, contrastiveLoss), /expected at least one text/);
    for (const tensor of [integers, none]) tensor.dispose();
    await model.dispose();
  });
});

describe("a model", () => {
  it("is disposed when the passes under way are done", async () => {
    const before = memory().numTensors;
    const model = await loadModel(directory, { weights: "streamed" });
    const pixels = pixelsOf(1);
    const embedding = model.encodeImage(pixels);
    await model.dispose();
    for (const tensor of [await embedding, pixels]) tensor.dispose();
    assert.equal(memory().numTensors, before);
  });

  it("that is disposed refuses every method, and its towers, with one error", async () => {
    const model = await openTinyClip();
    const pixels = pixelsOf(1);
    const [image, words] = [await model.encodeImage(pixels), await model.encodeTokens(text)];
    const before = memory().numTensors;
    const disposing = model.dispose();
    const error = {
      name: "InputError",
      message: `the model is disposed (${model.weights.store.name}); load it again to use it`,
    };
    const calls: Record<string, () => Promise<unknown>> = {
      tokenizer: () => model.tokenizer(),
      encodeImage: () => model.encodeImage(pixels),
      encodeText: () => model.encodeText(["a"]),
      encodeTokens: () => model.encodeTokens(text),
      logits: () => model.logits(image, words),
      zeroShotClassifier: () => zeroShotClassifier(model, ["a"]),
      embedTextTaps: () => embedTextTaps(model, ["a"], ["text"]),
      embedImage: () => embedImage(model, fixture("images/png-rgb8.png")),
      gradients: () => gradients(model, { pixels }, contrastiveLoss),
      "visual.apply": () => model.visual.apply(pixels),
      "text.apply": () => model.text.apply(model.text.batch(text)),
    };
    // Behind the disposal in the queue, and after it.
    await Promise.all(Object.values(calls).map((call) => assert.rejects(call, error)));
    await disposing;
    for (const [name, call] of Object.entries(calls)) await assert.rejects(call, error, name);
    await assert.rejects(model.weights.store.read("logit_scale"), error);
    assert.ok(memory().numTensors <= before);
    for (const tensor of [image, words, pixels]) tensor.dispose();
  });

  it("finishes the calls that have begun before it is disposed, also without their tokens", async () => {
    const { config, preprocess } = await readModelDirectory(directory);
    const other = await openTinyClip();
    const letters = await other.tokenizer();
    await other.dispose();
    const loadTokenizer = async (): Promise<typeof letters> => {
      await new Promise((done) => setTimeout(done, 10));
      return letters;
    };
    const before = memory().numTensors;
    const model = new Clip({ config, preprocess, loadTokenizer, store: await openWeights(directory) });
    const pixels = pixelsOf(1);
    const calls = [model.encodeText(["a"]), model.encodeImage(pixels), model.encodeText(["b"])];
    pixels.dispose();
    await model.dispose();
    for (const call of calls) (await call).dispose();
    assert.equal(memory().numTensors, before);
  });

  it("cannot be disposed by the sink of its own pass, which would wait for itself", async () => {
    const model = await loadModel(directory);
    await assert.rejects(
      withTaps(
        () => model.dispose(),
        () => model.encodeTokens(text),
      ),
      /a tap sink cannot start a pass or dispose a model/,
    );
    (await model.encodeTokens(text)).dispose(); // it is not disposed
    await model.dispose();
  });

  it("asks for its tokenizer again where the last try failed", async () => {
    const { config, preprocess } = await readModelDirectory(directory);
    let tries = 0;
    const loadTokenizer = (): Promise<never> => Promise.reject(new InputError(`try ${++tries}`));
    const model = new Clip({ config, preprocess, loadTokenizer, store: await openWeights(directory) });
    await assert.rejects(model.tokenizer(), /try 1/);
    await assert.rejects(model.encodeText(["a"]), /try 2/);
    await model.dispose();
  });

  it("shows the taps of a tower that is applied on its own, and keeps towers apart", async () => {
    const model = await loadModel(directory);
    const pixels = pixelsOf(1);
    const names: string[][] = [[], []];
    const [image, other] = await Promise.all([
      withTaps(
        (name) => names[0]!.push(name),
        () => model.visual.apply(pixels),
      ),
      withTaps(
        (name) => names[1]!.push(name),
        () => model.text.apply(model.text.batch(text)),
      ),
    ]);
    assert.equal(names[0]!.at(-1), "visual");
    assert.equal(names[1]!.at(-1), "text");
    assert.ok(names[1]!.every((name) => name.startsWith("text")));
    for (const tensor of [image, other, pixels]) tensor.dispose();
    await model.dispose();
  });

  it("lends a sink its values, which keeps what it says it keeps", async () => {
    const model = await loadModel(directory);
    const pixels = pixelsOf(1);
    let kept: Tensor | undefined;
    const features = await withTaps(
      (name, value) => {
        if (name === "visual.ln_pre") kept = keep(value.clone());
      },
      () => model.encodeImage(pixels),
    );
    assert.deepEqual(kept?.shape, [1, 7, 40]);
    assert.equal(kept.dataSync().length, 7 * 40);
    for (const tensor of [kept, features, pixels]) tensor.dispose();
    await model.dispose();
  });
});

describe("gradients that fail", () => {
  it("leave nothing behind, neither activations nor rows", async () => {
    const model = await loadModel(directory);
    const pixels = pixelsOf(2);
    const attempt = (): Promise<void> =>
      assert.rejects(gradients(model, { pixels, rows: text }, contrastiveLoss), /as many images as texts/);
    await attempt(); // from here on the weights are there
    const before = memory().numTensors;
    await attempt();
    assert.equal(memory().numTensors, before);
    pixels.dispose();
    await model.dispose();
  });
});
