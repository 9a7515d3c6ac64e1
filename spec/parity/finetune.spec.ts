/** Fine-tuning against the loops of wise-ft and FLYP, LoRA against peft, merging against wise-ft (tools/golden/finetune.py). */
import { strict as assert } from "node:assert";
import { memory, tensor4d } from "@tensorflow/tfjs-core";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { Merge } from "../../lib/node/finetune/merge.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { interpolate } from "../../lib/tensor/interpolated-store.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";
import type { Optimizer } from "../../lib/train/optimizer.ts";
import { FinetuneGolden, finetuneCases, runFinetuneGolden } from "../support/finetune-golden.ts";
import { fixture } from "../support/paths.ts";
import { readPairs, specialIds } from "../support/training-golden.ts";

const lossBar = 1e-5;
const weightBar = 1e-5;
const momentBar = 1e-4;

for (const name of finetuneCases) {
  // Keeping activations is another way through the same layers.
  for (const keepsActivations of name === "all-blocks" ? [false] : [false, true]) {
    const how = keepsActivations ? "keeping activations" : "computing blocks again";
    it(`finetune: ${name}, ${how}, has the reference's losses, weights and moments`, async () => {
      const tensorsBefore = memory().numTensors;
      const golden = await FinetuneGolden.open(name);
      const losses = await golden.numbers("loss");
      const norms = await golden.numbers("norm");
      await runFinetuneGolden(golden, keepsActivations, async ({ loss, norm }, optimizer) => {
        const { step } = optimizer;
        assertNear(loss, losses[step - 1]!, lossBar, `loss of step ${step}`);
        if (norm !== null) assertNear(norm, norms[step - 1]!, 1e-4, `norm of step ${step}`);
        if (golden.file.tensors.has(`weight.${step}.${golden.parameters[0]!}`)) {
          await assertState(golden, optimizer);
        }
      });
      assert.ok(memory().numTensors <= tensorsBefore, "tensors are left");
    });
  }
}

async function assertState(golden: FinetuneGolden, { parameters, step }: Optimizer): Promise<void> {
  const names = parameters.map(({ handle }) => golden.nameOf(handle as never));
  assert.deepEqual([...names].sort(), [...golden.parameters].sort());
  for (const [i, parameter] of parameters.entries()) {
    for (const [part, kind, bar] of [
      ["value", "weight", weightBar],
      ["mean", "mean", momentBar],
    ] as const) {
      const expected = await readFloat32(golden.file, `${kind}.${step}.${names[i]!}`);
      const values: number[] = [];
      for await (const piece of parameter.read(part)) values.push(...piece);
      const ours = Float32Array.from(values);
      const what = `${kind} of ${names[i]!} after step ${step}`;
      const isReal = (at: number): boolean => !isNoise(names[i]!, at, ours.length);
      if (part === "value") {
        const most = 2 * step * golden.options.lr;
        assert.ok(
          ours.every((value, at) => Math.abs(value - expected[at]!) <= most),
          what,
        );
      }
      const [mine, theirs] = [ours, expected].map((all) => all.filter((_, at) => isReal(at)));
      if (mine!.length === 0) continue;
      const { relativeL2 } = compare(mine!, theirs!);
      assert.ok(Math.hypot(...theirs!) < 1e-9 || relativeL2 <= bar, `${what}: ${relativeL2}`);
    }
  }
}

/** As in training.spec.ts: the bias of the keys has a gradient of 0 but for rounding. */
function isNoise(name: string, at: number, count: number): boolean {
  if (name.endsWith(".key.bias")) return true;
  return name.endsWith("in_proj_bias") && at >= count / 3 && at < (2 * count) / 3;
}

function assertNear(ours: number, expected: number, bar: number, what: string): void {
  assert.ok(Math.abs(ours - expected) <= bar * Math.abs(expected), `${what}: ${ours}, expected ${expected}`);
}

describe("merge", () => {
  it("interpolates as wise-ft does, bit for bit", async () => {
    const [golden, merged] = await Promise.all(
      ["blocks", "merge"].map(async (name) =>
        SafetensorsFile.open(await FileSource.open(fixture(`finetune/${name}.safetensors`))),
      ),
    );
    const base = await openWeights(fixture("training/multilingual"));
    assert.ok(merged!.tensors.size > 30);
    for (const key of merged!.tensors.keys()) {
      const [, alpha, name] = /^(\d\.\d)\.(.*)$/.exec(key)!;
      const ours = interpolate(
        await readFloat32(base, name!),
        await readFloat32(golden!, `weight.20.${name!}`),
        Number(alpha),
      );
      assert.deepEqual(ours, await readFloat32(merged!, key), key);
    }
    for (const store of [golden!, merged!, base]) await store.close();
  });

  it("folds an adapter that peft saved, to peft's features", async () => {
    const merge = await Merge.open(fixture("training/multilingual"), fixture("finetune/adapter"));
    assert.equal(merge.kind, "adapters");
    const file = await SafetensorsFile.open(await FileSource.open(fixture("finetune/adapter.safetensors")));
    const expected = await readFloat32(file, "features");
    const { images } = await readPairs(specialIds("multilingual"));
    const featuresAt = (alpha: number): Promise<Float32Array> =>
      merge.withModel(alpha, undefined, async (model) =>
        disposing(
          await model.encodeImage(tensor4d(await images.data<"float32">(), images.shape)),
          (features) => features.data<"float32">(),
        ),
      );
    assert.ok(compare(await featuresAt(1), expected).relativeL2 < 1e-5);
    assert.ok(compare(await featuresAt(0), expected).relativeL2 > 1e-2, "the adapter changes features");
    images.dispose();
    await merge.close();
    await file.close();
  });
});
