/** Training against open_clip_train's own loop: losses, learning rates, weights, moments (tools/golden/training.py). */
import { strict as assert } from "node:assert";
import { memory, scalar } from "@tensorflow/tfjs-core";
import { compare } from "../../lib/tensor/compare.ts";
import type { StatePart } from "../../lib/train/parameter.ts";
import {
  readPairs,
  runGoldenEpoch,
  sampleState,
  specialIds,
  trainingCases,
  TrainingGolden,
} from "../support/training-golden.ts";

/** Bars of the comparison: relative differences, of the loss and of samples of all parameters together. */
const lossBar = 1e-5;
const weightBar = 1e-5;
/** Of the distance that a parameter has moved: the median over parameters, and the worst. */
const medianMovementBar = 1e-4;
const worstMovementBar = 2e-3;
const momentBar = 1e-4;

for (const name of trainingCases) {
  describe(`training: ${name}`, () => {
    it("has open_clip_train's losses, learning rates, weights and moments", async () => {
      const golden = await TrainingGolden.open(name);
      const { options } = golden;
      const model = await golden.model();
      const tensorsBefore = memory().numTensors;
      if (options.logit_scale !== null) model.logitScale.assign(scalar(options.logit_scale));
      const optimizer = await golden.optimizer(model);
      assert.deepEqual(
        optimizer.parameters.map(({ handle }) => handle.name),
        golden.parameters,
      );
      const pairs = await readPairs(specialIds(options.model));
      const start = await sampleState(optimizer.parameters, "value");
      const [losses, rates, norms] = await Promise.all(
        ["loss", "rate", "norm"].map((kind) => golden.numbers(kind)),
      );
      const movements: number[] = [];
      for (const epoch of golden.batches.keys()) {
        await runGoldenEpoch(golden, model, optimizer, pairs, epoch, async ({ loss, norm, rate }) => {
          const { step } = optimizer;
          assert.equal(rate, rates![step - 1], `rate of step ${step}`);
          assertRelative(loss, losses![step * options.accum_freq - 1]!, lossBar, `loss of step ${step}`);
          if (norm !== null) assertRelative(norm, norms![step - 1]!, 1e-4, `norm of step ${step}`);
          if (golden.kept.includes(step))
            movements.push(...(await assertState(golden, step, start, optimizer)));
        });
      }
      assert.equal(optimizer.step, rates!.length);
      movements.sort((a, b) => a - b);
      const [median = NaN, worst = NaN] = [movements[movements.length >> 1], movements.at(-1)];
      assert.ok(median <= medianMovementBar, `median of relative movements ${median}`);
      // At smaller rates, the rounding of a weight is a larger part of its movement.
      const bar = Math.max(...rates!) > 1e-4 ? worstMovementBar : 10 * worstMovementBar;
      assert.ok(worst <= bar, `worst of relative movements ${worst}`);
      optimizer.dispose();
      pairs.images.dispose();
      await golden.close();
      await model.dispose();
      assert.ok(memory().numTensors <= tensorsBefore, "tensors are left");
    });
  });
}

/** @returns the relative differences of the movements */
async function assertState(
  golden: TrainingGolden,
  step: number,
  start: readonly (readonly number[])[],
  { parameters }: Awaited<ReturnType<TrainingGolden["optimizer"]>>,
): Promise<number[]> {
  const movements: number[] = [];
  const kinds: readonly (readonly [StatePart, string, number])[] = [
    ["value", "weight", weightBar],
    ["mean", "mean", momentBar],
    ["square", "square", momentBar],
  ];
  for (const [part, kind, bar] of kinds) {
    const ours = await sampleState(parameters, part);
    const expected = await golden.samples(kind, step);
    let at = 0;
    for (const [i, values] of ours.entries()) {
      const reference = expected.subarray(at, at + values.length);
      at += values.length;
      const parameter = golden.parameters[i]!;
      const real = values.map((_, j) => j).filter((j) => !isNoise(parameter, j, values.length));
      if (part === "value") {
        const most = step * golden.options.lr * 1.5;
        for (const [j, value] of values.entries())
          assert.ok(Math.abs(value - reference[j]!) <= most, parameter);
      }
      const pick = (from: ArrayLike<number>): Float32Array => Float32Array.from(real, (j) => from[j]!);
      const [mine, theirs, before] = [pick(values), pick(reference), pick(start[i]!)];
      const { relativeL2 } = compare(mine, theirs);
      const isNothing = Math.hypot(...theirs) < 1e-9;
      assert.ok(isNothing || relativeL2 <= bar, `${kind} of ${parameter} after step ${step}: ${relativeL2}`);
      if (part !== "value" || real.length === 0) continue;
      const moved = (to: Float32Array): Float32Array => to.map((value, j) => value - before[j]!);
      const distance = Math.hypot(...moved(theirs));
      if (distance > 0) movements.push(compare(moved(mine), moved(theirs)).relativeL2);
    }
    assert.equal(at, expected.length);
  }
  return movements;
}

/**
 * Whether a sample's gradient is 0 but for rounding, which AdamW makes as large as any other: softmax does not change if
 * a number is added to all scores of a query, so the bias of the keys has no effect.
 */
function isNoise(parameter: string, at: number, count: number): boolean {
  if (parameter.endsWith(".key.bias")) return true;
  return parameter.endsWith("in_proj_bias") && at >= count / 3 && at < (2 * count) / 3;
}

function assertRelative(ours: number, expected: number, bar: number, what: string): void {
  assert.ok(Math.abs(ours - expected) <= bar * Math.abs(expected), `${what}: ${ours}, expected ${expected}`);
}

for (const name of ["full", "plain", "lock-image-1", "dropout", "accum-2"]) {
  describe(`training: ${name}, in other ways`, () => {
    const ways = [
      ["keeping activations", { keepsActivations: true }],
      // Batches of texts have dropout masks of their own.
      ...(name === "dropout" ? [] : ([["texts of similar length together", { textsAtOnce: 4 }]] as const)),
    ] as const;
    for (const [title, how] of ways) {
      it(`has the same losses, ${title}`, async () => {
        const golden = await TrainingGolden.open(name);
        const model = await golden.model();
        const tensorsBefore = memory().numTensors;
        const optimizer = await golden.optimizer(model);
        const pairs = await readPairs(specialIds(golden.options.model));
        const losses = await golden.numbers("loss");
        const perStep = golden.options.accum_freq;
        for (const epoch of [0, 1]) {
          const onStep = ({ loss }: { readonly loss: number }): void => {
            const { step } = optimizer;
            assertRelative(loss, losses[perStep * step - 1]!, lossBar, `loss of step ${step}`);
          };
          await runGoldenEpoch(golden, model, optimizer, pairs, epoch, onStep, how);
        }
        optimizer.dispose();
        pairs.images.dispose();
        await golden.close();
        await model.dispose();
        assert.ok(memory().numTensors <= tensorsBefore, "tensors are left");
      });
    }
  });
}
