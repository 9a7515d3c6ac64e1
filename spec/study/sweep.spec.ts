import { strict as assert } from "node:assert";
import { memory, neg, tensor3d, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import { interventions, type Intervention } from "../../lib/study/intervene.ts";
import { scoresOf } from "../../lib/study/saliency/direction.ts";
import { imageStream, type OneInput } from "../../lib/study/stream.ts";
import { causalTrace, sweepHeads } from "../../lib/study/sweep.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { assertNear } from "../support/near.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";
import { openSaliencyGolden, type SaliencyGolden } from "../support/saliency-golden.ts";

for (const name of ["gelu-mlp", "plain"]) {
  describe(`sweeps: ${name}`, () => {
    let given: SaliencyGolden;
    let other: Tensor4D;
    before(async () => {
      given = await openSaliencyGolden(name);
      other = neg(given.pixels);
    });
    after(async () => {
      other.dispose();
      await given.close();
    });

    /** The score of a whole pass with interventions. */
    async function scoreWith(
      input: OneInput,
      direction: Tensor2D,
      list: readonly Intervention[],
    ): Promise<number> {
      const { model } = given;
      const scores = await withTaps(
        () => undefined,
        () =>
          scoresOf(
            "pixels" in input
              ? model.encodeImage(input.pixels, { normalize: true })
              : model.encodeTokens([input.row], { normalize: true }),
            direction,
          ),
        interventions(list),
      );
      return scores[0]!;
    }

    it("sweepHeads changes the score as a whole pass without each head does", async () => {
      const { model, pixels, row, ofText, ofImage } = given;
      for (const [input, direction, blocks] of [
        [{ pixels }, ofText, model.visual.blocks],
        [{ row }, ofImage, model.text.blocks],
      ] as const) {
        for (const by of ["zero", "mean"] as const) {
          const before = memory().numTensors;
          const told: number[][] = [];
          const { score, changes } = await withoutBlockingReads(() =>
            sweepHeads(model, input, direction, {
              by,
              batchSize: 3,
              onProgress: (...state) => told.push(state),
            }),
          );
          assert.equal(memory().numTensors, before);
          assertNear([score], [await scoreWith(input, direction, [])], 1e-6);
          assert.deepEqual(
            changes.map(({ length }) => length),
            blocks.map(({ heads }) => heads),
          );
          const total = blocks.reduce((sum, { heads }) => sum + heads, 0);
          assert.deepEqual(told.at(-1), [total, total]);
          for (const [layer, head] of [
            [0, 1],
            [0, blocks[0]!.heads - 1], // in the second batch, if there are more than three heads
            [blocks.length - 1, 0],
          ] as const) {
            const tap = `${blocks[layer]!.attentionScope.path}#probabilities`;
            const without = await scoreWith(input, direction, [{ tap, by, heads: [head] }]);
            assertNear([changes[layer]![head]!], [without - score], 1e-5);
          }
        }
      }
    });

    it("causalTrace restores one token of one state in the corrupted pass", async () => {
      const { model, pixels, ofText } = given;
      const [clean, corrupted] = [{ pixels }, { pixels: other }];
      const before = memory().numTensors;
      const traced = await withoutBlockingReads(() => causalTrace(model, clean, corrupted, ofText));
      assert.equal(memory().numTensors, before);
      const layers = model.visual.blocks.length;
      assert.equal(traced.scores.length, layers + 1);
      assertNear(
        [traced.clean, traced.corrupted],
        [await scoreWith(clean, ofText, []), await scoreWith(corrupted, ofText, [])],
        1e-6,
      );
      // After the last block, the class token is the answer, and no other token matters.
      assertNear([...traced.recovered.at(-1)!], [1, ...traced.recovered.at(-1)!.slice(1).fill(0)], 1e-3);
      // Token 2 of what block 1 takes, by a patch of a whole pass.
      const tap = model.visual.blocks[0]!.scope.path;
      const states = await imageStream(model, pixels);
      const by = tensor3d(states.states[1]!, [1, states.length, states.width]);
      const patched = await scoreWith(corrupted, ofText, [{ tap, by, tokens: [2] }]);
      by.dispose();
      assertNear([traced.scores[1]![2]!], [patched], 1e-5);
      const some = await causalTrace(model, clean, corrupted, ofText, {
        states: [1],
        tokens: [2, 0],
        batchSize: 1,
      });
      assertNear([...some.scores[0]!], [traced.scores[1]![2]!, traced.scores[1]![0]!], 1e-6);
    });

    it("causalTrace of two texts needs equally many tokens", async () => {
      const { model, row, ofImage } = given;
      const changed = row.with(2, 4);
      const traced = await causalTrace(model, { row }, { row: changed }, ofImage, { states: [0] });
      // At the first state only token 2 differs: it brings back the whole answer, the others nothing.
      const recovered = Array<number>(traced.recovered[0]!.length).fill(0).with(2, 1);
      assertNear([...traced.recovered[0]!], recovered, 2e-2);
      await assert.rejects(
        causalTrace(model, { row }, { row: row.toSpliced(2, 1) }, ofImage),
        /causalTrace: expected texts of equally many tokens, found \d+ and \d+/,
      );
      await assert.rejects(
        causalTrace(model, { row }, { row: changed }, ofImage, { tokens: [99] }),
        /causalTrace: tokens: expected numbers from 0 to \d+, found 99/,
      );
    });
  });
}
