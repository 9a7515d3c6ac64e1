import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { zeros, type Rank } from "@tensorflow/tfjs-core";
import { Clip } from "../../../lib/clip/clip.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { openWeights } from "../../../lib/node/models/weights-file.ts";
import { OverlappingScope, setTapScope, withTaps } from "../../../lib/tensor/taps.ts";
import { fixture } from "../../support/paths.ts";
import { letters } from "../../support/tiny-clip.ts";
import { valuesOf } from "../../support/values.ts";

async function modelWith(loadTokenizer: () => Promise<typeof letters>): Promise<Clip> {
  const directory = fixture("tiny/gelu-mlp");
  const { config, preprocess } = await readModelDirectory(directory);
  return new Clip({ config, preprocess, loadTokenizer, store: await openWeights(directory) });
}

describe("encodeText", () => {
  it("embeds the tokens of each text, in the order of the texts", async () => {
    const model = await modelWith(() => Promise.resolve(letters));
    const texts = ["a longer text", "b", "a cat"];
    const rows = texts.map((text) => letters.encode(text));
    const values = await valuesOf(model.encodeText(texts, { batchSize: 1 }));
    assert.deepEqual(values, await valuesOf(model.encodeTokens(rows, { batchSize: 1 })));
    await model.dispose();
  });

  it("loads the tokenizer at the first text, once", async () => {
    let loads = 0;
    const model = await modelWith(() => {
      loads++;
      return Promise.resolve(letters);
    });
    assert.equal(loads, 0);
    await Promise.all([valuesOf(model.encodeText(["a"])), valuesOf(model.encodeText(["b"]))]);
    assert.equal(loads, 1);
    await model.dispose();
  });

  it("loads the tokenizer again after a failure", async () => {
    let tries = 0;
    const model = await modelWith(() => Promise.reject(new InputError(`try ${++tries}`)));
    await assert.rejects(model.tokenizer(), /try 1/);
    await assert.rejects(model.encodeText(["a"]), /try 2/);
    await model.dispose();
  });

  // In a browser, which has no AsyncLocalStorage.
  it("keeps its sink while the tokenizer is loaded and images are embedded for another sink", async () => {
    setTapScope(new OverlappingScope());
    try {
      const model = await modelWith(async () => {
        await wait(2); // shorter than the other call
        return letters;
      });
      const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
      const ofText: string[] = [];
      const ofImage: string[] = [];
      await Promise.all([
        withTaps(
          (name) => ofText.push(name),
          () => valuesOf(model.encodeText(["a cat"])),
        ),
        withTaps(
          async (name) => {
            ofImage.push(name);
            await wait(2);
          },
          () => valuesOf(model.encodeImage(pixels)),
        ),
      ]);
      assert.equal(ofText[0], "text.transformer.embeddings.word_embeddings");
      assert.equal(ofText.at(-1), "text");
      assert.equal(ofImage[0], "visual.conv1");
      assert.ok(ofImage.every((name) => name.startsWith("visual")));
      pixels.dispose();
      await model.dispose();
    } finally {
      setTapScope(new AsyncLocalStorage());
    }
  });
});
