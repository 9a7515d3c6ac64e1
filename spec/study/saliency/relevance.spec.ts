import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { imageRelevance, textRelevance } from "../../../lib/study/saliency/relevance.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { withoutBlockingReads } from "../../support/no-blocking-reads.ts";
import { openSaliencyGolden, saliencyModels } from "../../support/saliency-golden.ts";

const tolerance = 1e-4;

for (const name of saliencyModels) {
  describe(`relevance: ${name}`, () => {
    it("of patches and of tokens equals PyTorch's by Chefer's rule, from every start layer", async () => {
      const { model, golden, pixels, row, ofText, ofImage, close } = await openSaliencyGolden(name);
      const before = memory().numTensors;
      const image = await withoutBlockingReads(() => imageRelevance(model, pixels, ofText));
      const text = await withoutBlockingReads(() => textRelevance(model, row, ofImage));
      assert.equal(memory().numTensors, before);
      assert.equal(image.maps.length, model.visual.blocks.length);
      assert.equal(text.tokens.length, model.text.blocks.length);
      for (const [start, { values }] of image.maps.entries()) {
        const expected = golden.readTap(`relevance.image.${start}`).subarray(1);
        const { relativeL2 } = compare(values, expected);
        assert.ok(relativeL2 < tolerance, `patches from layer ${start}: ${relativeL2}`);
      }
      for (const [start, values] of text.tokens.entries()) {
        const expected = golden.readTap(`relevance.text.${start}`).subarray(0, values.length);
        const { relativeL2 } = compare(values, expected);
        assert.ok(relativeL2 < tolerance, `tokens from layer ${start}: ${relativeL2}`);
      }
      const [score = NaN] = golden.readTap("score");
      assert.ok(Math.abs(image.score - score) < 1e-5);
      assert.ok(Math.abs(text.score - score) < 1e-5);
      await close();
    });
  });
}
