/** Runs of `finetune` that are stopped and continued. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { finetune, type FinetuneData } from "../../lib/node/finetune/finetune.ts";
import { requireNames } from "../../lib/node/finetune/named-images.ts";
import type { FinetuneSettings } from "../../lib/node/finetune/settings.ts";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import { fixture } from "./paths.ts";

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

/** A few training and validation images of three classes. */
async function images(folder: string): Promise<FinetuneData> {
  const files = {
    circle: "two-red-circles.png",
    heart: "orange-heart.jpg",
    triangle: "small-yellow-triangle.png",
  };
  const copy = async (split: string, count: number): Promise<FinetuneData["train"]> => {
    for (const [name, file] of Object.entries(files)) {
      mkdirSync(join(folder, split, name), { recursive: true });
      for (let i = 0; i < count; i++) {
        copyFileSync(fixture(`demo-model/samples/${file}`), join(folder, split, name, `${i}-${file}`));
      }
    }
    const found = await findLabelledImages([join(folder, split)], (error) => {
      throw error;
    });
    return requireNames(found, split);
  };
  return { train: await copy("train", 3), validation: await copy("validation", 1) };
}

/** Asserts that a run that is stopped in its third epoch and continued writes the same bytes as one that is not. */
export async function assertContinues(folder: string, kind: keyof typeof finetuneKinds): Promise<void> {
  const data = await images(folder);
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
