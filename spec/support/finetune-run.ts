/** Runs of `finetune` that are stopped and continued. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { finetune, type FinetuneData } from "../../lib/node/finetune/finetune.ts";
import { requireNames } from "../../lib/node/finetune/named-images.ts";
import type { FinetuneSettings } from "../../lib/node/finetune/settings.ts";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import { writeUnseenImages } from "../../tools/demo-model/unseen-images.ts";

const common: FinetuneSettings = {
  loss: "ce",
  blocks: 2,
  textBlocks: null,
  lora: null,
  templates: ["a photo of a {}.", "{}"],
  ...{ batchSize: 4, epochs: 3, lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, wd: 0.1 },
  warmup: null,
  gradClipNorm: 1,
  labelSmoothing: 0.1,
  dropout: null,
  seed: 5,
};

export const finetuneKinds: Readonly<Record<string, Partial<FinetuneSettings>>> = {
  blocks: {},
  "adapters with dropout": {
    lora: { rank: 2, alpha: 4, modules: ["attention", "output", "mlp"], dropout: 0.2 },
  },
  // Prompts at random, and dropout in the text tower.
  FLYP: { loss: "flyp", blocks: 1 },
};

class Stopped extends Error {}

/** Small training and validation images of four classes. */
export async function fillImages(folder: string): Promise<FinetuneData> {
  const size = { width: 84, height: 84 } as const;
  const images = async (split: string, count: number, seed: number): Promise<FinetuneData["train"]> => {
    const out = join(folder, split);
    await writeUnseenImages({ task: "fill", out, count, seed, ...size });
    return requireNames(await findLabelledImages([out], assert.fail), split);
  };
  return { train: await images("train", 2, 1), validation: await images("validation", 1, 2) };
}

/** Asserts that a run that is stopped in its third epoch and continued writes the same bytes as one that is not. */
export async function assertContinues(folder: string, kind: keyof typeof finetuneKinds): Promise<void> {
  const data = await fillImages(folder);
  const settings = { ...common, ...finetuneKinds[kind] };
  const [whole, stopped] = [join(folder, "whole", "run"), join(folder, "stopped", "run")];
  await finetune(data, settings, { backend: "wasm", out: whole });
  const stop = finetune(data, settings, {
    backend: "wasm",
    out: stopped,
    onStep: ({ step }) => {
      if (step === 5) throw new Stopped();
    },
  });
  await assert.rejects(stop, Stopped);
  assert.ok(existsSync(join(stopped, "run", "state.safetensors")));
  const steps: number[] = [];
  await finetune(data, settings, { backend: "wasm", out: stopped, onStep: ({ step }) => steps.push(step) });
  assert.deepEqual(steps, [5, 6]);
  const result = settings.lora ? "adapter_model.safetensors" : "open_clip_model.safetensors";
  for (const name of [result, "head.safetensors", "results.jsonl", "steps.jsonl", "loss.svg"]) {
    const [one, other] = [whole, stopped].map((out) => readFileSync(join(out, name)));
    assert.ok(one!.equals(other!), name);
  }
  assert.ok(!existsSync(join(stopped, "run")), "what only an unfinished run needs is removed");
}
