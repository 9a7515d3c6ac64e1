import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { gradientTimesInput, integratedGradients } from "../../../lib/study/saliency/gradient.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { withoutBlockingReads } from "../../support/no-blocking-reads.ts";
import { openSaliencyGolden, saliencyModels } from "../../support/saliency-golden.ts";

const tolerance = 1e-4;

/** [3, H, W] → [H, W] */
function overColors(values: Float32Array): Float32Array {
  const size = values.length / 3;
  return Float32Array.from(
    { length: size },
    (_, i) => values[i]! + values[size + i]! + values[2 * size + i]!,
  );
}

for (const name of saliencyModels) {
  describe(`gradients of the score: ${name}`, () => {
    it("times the input, and integrated in 8 steps, equal PyTorch's", async () => {
      const { model, golden, pixels, ofText, close } = await openSaliencyGolden(name);
      const before = memory().numTensors;
      const single = await withoutBlockingReads(() => gradientTimesInput(model, pixels, ofText));
      const image = golden.readTap("input.image");
      const product = golden.readTap("gradient").map((value, i) => value * image[i]!);
      assert.ok(compare(single.map.values, overColors(product)).relativeL2 < tolerance);

      const told: number[] = [];
      const integrated = await withoutBlockingReads(() =>
        integratedGradients(model, pixels, ofText, {
          steps: 8,
          batchSize: 3,
          onProgress: (done) => told.push(done),
        }),
      );
      assert.ok(
        compare(integrated.map.values, overColors(golden.readTap("integrated"))).relativeL2 < tolerance,
      );
      const [score = NaN] = golden.readTap("score");
      const [baselineScore = NaN] = golden.readTap("integrated.score");
      for (const [ours, theirs] of [
        [single.score, score],
        [integrated.score, score],
        [integrated.baselineScore, baselineScore],
      ] as const) {
        assert.ok(Math.abs(ours - theirs) < 1e-5, `${ours}, PyTorch ${theirs}`);
      }
      assert.deepEqual(told, [3, 6, 8]);
      assert.equal(memory().numTensors, before);
      await close();
    });
  });
}

describe("integratedGradients", () => {
  it("sums up to the difference of the scores when there are enough steps", async () => {
    const { model, pixels, ofText, close } = await openSaliencyGolden("gelu-mlp");
    const [few, many] = [
      await integratedGradients(model, pixels, ofText, { steps: 2 }),
      await integratedGradients(model, pixels, ofText, { steps: 100, batchSize: 50 }),
    ];
    const difference = Math.abs(many.score - many.baselineScore);
    assert.ok(Math.abs(many.gap) < 0.02 * difference, `${many.gap} of ${difference}`);
    assert.ok(Math.abs(many.gap) < Math.abs(few.gap));
    await close();
  });

  it("stops when the signal is aborted, refuses two images and no steps, and leaves nothing behind", async () => {
    const { model, pixels, ofText, close } = await openSaliencyGolden("gelu-mlp");
    const before = memory().numTensors;
    const controller = new AbortController();
    const stopped = integratedGradients(model, pixels, ofText, {
      batchSize: 1,
      signal: controller.signal,
      onProgress: () => {
        controller.abort(new Error("enough"));
      },
    });
    await assert.rejects(stopped, /enough/);
    await assert.rejects(
      integratedGradients(model, pixels, ofText, { steps: 0 }),
      /steps: expected a whole number/,
    );
    assert.equal(memory().numTensors, before);
    await close();
  });
});
