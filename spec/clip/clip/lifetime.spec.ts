import { strict as assert } from "node:assert";
import { keep, memory, zeros, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { Clip } from "../../../lib/clip/clip.ts";
import { gradients } from "../../../lib/clip/gradients.ts";
import { contrastiveLoss } from "../../../lib/clip/loss.ts";
import { embedImage } from "../../../lib/node/images/embed-images.ts";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { openWeights } from "../../../lib/node/models/weights-file.ts";
import { embedTextTaps } from "../../../lib/tasks/embed-texts.ts";
import { zeroShotClassifier } from "../../../lib/tasks/zero-shot.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";
import { loadTiny } from "../../support/golden.ts";
import { fixture } from "../../support/paths.ts";
import { openTinyClip } from "../../support/tiny-clip.ts";
import { valuesOf } from "../../support/values.ts";

const directory = fixture("tiny/gelu-mlp");
const text = [[0, 5, 9, 2]];

describe("Clip", () => {
  it("is disposed after the passes that have begun", async () => {
    const before = memory().numTensors;
    const model = await loadTiny("gelu-mlp", "streamed");
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const embedding = model.encodeImage(pixels);
    await model.dispose();
    await model.dispose(); // the second time has no effect
    for (const tensor of [await embedding, pixels]) tensor.dispose();
    assert.equal(memory().numTensors, before);
  });

  it("gives each of two towers that run at once its own sink", async () => {
    const model = await loadTiny("gelu-mlp");
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const names: string[][] = [[], []];
    await Promise.all([
      withTaps(
        (name) => names[0]!.push(name),
        () => valuesOf(model.visual.apply(pixels)),
      ),
      withTaps(
        (name) => names[1]!.push(name),
        () => valuesOf(model.text.apply(model.text.batch(text))),
      ),
    ]);
    assert.equal(names[0]!.at(-1), "visual");
    assert.equal(names[1]!.at(-1), "text");
    assert.ok(names[0]!.every((name) => name.startsWith("visual")));
    assert.ok(names[1]!.every((name) => name.startsWith("text")));
    pixels.dispose();
    await model.dispose();
  });

  it("leaves a value to a sink that keeps a clone of it", async () => {
    const model = await loadTiny("gelu-mlp");
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    let kept: Tensor | undefined;
    await withTaps(
      (name, value) => {
        if (name === "visual.ln_pre") kept = keep(value.clone());
      },
      () => valuesOf(model.encodeImage(pixels)),
    );
    assert.deepEqual(kept?.shape, [1, 7, 40]);
    assert.equal((await kept.data()).length, 7 * 40);
    for (const tensor of [kept, pixels]) tensor.dispose();
    await model.dispose();
  });

  it("refuses every method after it is disposed, and its towers, with one error", async () => {
    const model = await openTinyClip();
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
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
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const calls = [model.encodeText(["a"]), model.encodeImage(pixels), model.encodeText(["b"])];
    pixels.dispose();
    await model.dispose();
    for (const call of calls) (await call).dispose();
    assert.equal(memory().numTensors, before);
  });

  it("cannot be disposed by the sink of its own pass, which would wait for itself", async () => {
    const model = await loadTiny("gelu-mlp");
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
});
