/** Against scipy's minimum (tools/golden/adapt.py). */
import assert from "node:assert/strict";
import {
  defaultPenalty,
  fitZeroShotHead,
  minimizeHead,
  penalties,
  type TextHead,
} from "../../lib/probe/zero-shot-head.ts";
import { selectRows } from "../../lib/features/features.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { readProbeGolden, type ProbeGolden } from "../support/probe-golden.ts";

describe("the zero-shot head", () => {
  let golden: ProbeGolden;
  let head: TextHead;
  before(async () => {
    golden = await readProbeGolden("adapt");
    head = { embeddings: golden.values("text") as Float32Array, scale: 100 };
  });

  for (const penalty of [0.1, 10, 1000]) {
    it(`reaches scipy's minimum with the penalty ${penalty}`, () => {
      const { weight, bias } = minimizeHead(golden.features("train"), head, penalty);
      const expected = golden.values(`head.${penalty.toFixed(1)}`);
      const { relativeL2 } = compare(weight, expected);
      assert.ok(relativeL2 < 1e-6, `${relativeL2}`);
      assert.deepEqual([...bias], [0, 0, 0, 0, 0]);
    });
  }

  it("is the zero-shot classifier under a large penalty", () => {
    const { weight } = minimizeHead(golden.features("train"), head, 1e12);
    const { relativeL2 } = compare(
      weight,
      head.embeddings.map((value) => 100 * value),
    );
    assert.ok(relativeL2 < 1e-6, `${relativeL2}`);
  });

  it("takes the penalty with the smallest loss on the validation split, else on folds", () => {
    const train = golden.features("train");
    for (const validation of [golden.features("validation"), null]) {
      const { penalty, trials } = fitZeroShotHead(train, head, validation);
      assert.deepEqual(
        trials.map((trial) => trial.penalty),
        penalties,
      );
      const least = Math.min(...trials.map(({ loss }) => loss));
      assert.equal(penalty, trials.find(({ loss }) => loss === least)!.penalty);
    }
    const one = selectRows(
      train,
      [0, 1, 2, 3, 4].map((label) => train.labels.indexOf(label)),
    );
    const { penalty, trials } = fitZeroShotHead(one, head, null);
    assert.deepEqual([penalty, trials], [defaultPenalty, []]);
  });
});
