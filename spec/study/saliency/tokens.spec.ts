import { strict as assert } from "node:assert";
import { add, memory, tensor2d, type Tensor2D } from "@tensorflow/tfjs-core";
import { labelDirection, scoresOf } from "../../../lib/study/saliency/direction.ts";
import { leaveOneOut, tokenGradients } from "../../../lib/study/saliency/tokens.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";
import { assertNear } from "../../support/near.ts";
import { assertValues } from "../../support/layers.ts";
import { openSaliencyGolden, type SaliencyGolden } from "../../support/saliency-golden.ts";

describe("labelDirection", () => {
  it("is the label's embedding, or its difference from the mean of the others", () => {
    const features = tensor2d([
      [1, 0],
      [0, 1],
      [0, -3],
    ]);
    const [alone, against] = [labelDirection(features, 0, false), labelDirection(features, 0, true)];
    assertValues(alone, [[1, 0]]);
    assertValues(against, [[1, 1]]);
    assert.throws(() => labelDirection(features, 3, true), /label 3: expected one from 0 to 2/);
    const single = tensor2d([[1, 0]]);
    assert.throws(() => labelDirection(single, 0, true), /at least two labels/);
    for (const tensor of [features, alone, against, single]) tensor.dispose();
  });
});

for (const name of ["gelu-mlp", "plain"]) {
  describe(`tokens of a text: ${name}`, () => {
    let given: SaliencyGolden;
    before(async () => {
      given = await openSaliencyGolden(name);
    });
    after(() => given.close());

    const scoreOf = async (row: readonly number[], direction: Tensor2D): Promise<number> =>
      (await scoresOf(given.model.encodeTokens([row], { normalize: true }), direction))[0]!;

    it("leaveOneOut is the drop of the score without the token", async () => {
      const { model, row: padded, ofImage } = given;
      const row = padded.slice(0, 9);
      const before = memory().numTensors;
      const { score, tokens } = await leaveOneOut(model, row, ofImage);
      assert.equal(memory().numTensors, before);
      assert.equal(tokens.length, row.length);
      assert.deepEqual([tokens[0], tokens.at(-1)], [null, null]);
      const without = await scoreOf([...row.slice(0, 3), ...row.slice(4)], ofImage);
      assertNear([score, tokens[3]!], [await scoreOf(row, ofImage), score - without], 1e-5);
      await assert.rejects(leaveOneOut(model, [row[0]!, row.at(-1)!], ofImage), /tokens between its ends/);
    });

    it("tokenGradients is the slope of the score along its steepest direction at each token", async () => {
      const { model, row, ofImage } = given;
      const { score, tokens } = await tokenGradients(model, row, ofImage);
      assertNear([score], [await scoreOf(row, ofImage)], 1e-5);
      assert.deepEqual([tokens[0], tokens.at(-1)], [null, null]);
      // A random step at one token changes the score by no more than its length times the norm, and by some of it.
      const step = 1e-2;
      const change = (by: number): Promise<number> =>
        withTaps(
          () => undefined,
          () => scoreOf(row, ofImage),
          (tap, value) => {
            if (tap !== model.text.embedTap) return null;
            const [, length = 0, width = 0] = value.shape;
            const values = new Float32Array(length * width);
            for (let i = 0; i < width; i++)
              values[2 * width + i] = (by * Math.sin(i * i)) / Math.sqrt(width / 2);
            return add(value, tensor2d(values, [length, width]));
          },
        );
      const slope = ((await change(step)) - (await change(-step))) / (2 * step);
      assert.ok(Math.abs(slope) <= tokens[2]! * 1.3, `${slope} is steeper than the gradient, ${tokens[2]!}`);
      assert.ok(Math.abs(slope) > 0.01 * tokens[2]!);
    });
  });
}
