import assert from "node:assert/strict";
import { memory, tensor4d } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import type { Golden } from "../../lib/parity/golden.ts";
import { isImageTap, runInputs } from "../../lib/parity/run-inputs.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";

// gelu-mlp has XLM-RoBERTa's text tower; plain has the English models', whose taps have no prefix.
for (const name of ["gelu-mlp", "plain"]) {
  describe(`runInputs, ${name}`, () => {
    let model: Clip;
    let golden: Golden;
    before(async () => {
      model = await loadTiny(name);
      golden = await openGolden(tinyGolden(name));
      // The first pass loads the weights, which stay.
      await tapsOf(true, true, { isFirst: true });
    });
    after(async () => {
      await model.dispose();
      await golden.close();
    });

    /** The names of the taps of a run. */
    async function tapsOf(image: boolean, text: boolean, { isFirst = false } = {}): Promise<string[]> {
      const names: string[] = [];
      const pixels = image ? golden.readImage() : null;
      const before = memory().numTensors;
      await withTaps(
        (name) => names.push(name),
        () => runInputs(model, pixels, text ? golden.text : null),
      );
      if (!isFirst) assert.equal(memory().numTensors, before, "no tensor is left");
      pixels?.dispose();
      return names.filter((name) => !name.includes("#"));
    }

    it("emits each tap of the reference's pass once, and the similarity last", async () => {
      const names = await tapsOf(true, true);
      assert.equal(new Set(names).size, names.length);
      assert.equal(names.at(-1), "logits_per_image");
      const missing = names.filter((name) => !golden.taps.has(name));
      assert.deepEqual(missing, []);
    });

    it("runs one tower alone, without the similarity", async () => {
      const [image, text, both] = [
        await tapsOf(true, false),
        await tapsOf(false, true),
        await tapsOf(true, true),
      ];
      assert.ok(image.length > 10 && image.every(isImageTap));
      assert.ok(text.length > 10 && !text.some(isImageTap));
      assert.deepEqual([...image, ...text, "logits_per_image"], both);
      assert.deepEqual(await tapsOf(false, false), []);
    });

    it("leaves no tensor after inputs that do not fit the model", async () => {
      const wrong = tensor4d(new Float32Array(75), [1, 3, 5, 5]);
      const right = golden.readImage()!;
      const before = memory().numTensors;
      await assert.rejects(runInputs(model, wrong, null), { name: "InputError" });
      await assert.rejects(runInputs(model, right, [[0, 1.5, 2]]), { name: "InputError", message: /1\.5/ });
      await assert.rejects(runInputs(model, right, []), { name: "InputError" });
      assert.equal(memory().numTensors, before);
      for (const pixels of [wrong, right]) pixels.dispose();
    });
  });
}

describe("isImageTap", () => {
  it("tells the towers' taps apart", () => {
    for (const tap of ["visual", "visual.conv1", "image_features"]) assert.equal(isImageTap(tap), true, tap);
    for (const tap of [
      "text",
      "text_features",
      "transformer.resblocks.0",
      "token_embedding",
      "logits_per_image",
    ]) {
      assert.equal(isImageTap(tap), false, tap);
    }
  });
});
