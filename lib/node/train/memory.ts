/** The memory of a run, estimated before it starts, and whether its steps keep their activations. */
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { trainableWeights } from "../../train/locks.ts";
import { stepMemory, totalBytes, type StepMemory } from "../../train/memory.ts";
import type { Pairs } from "./pairs.ts";
import { textsAtOnce } from "./texts-at-once.ts";
import type { TrainSettings } from "./settings.ts";

export interface RunMemory extends StepMemory {
  /** What the process has before it loads weights, and its image threads. */
  readonly process: number;
  /** What the backend's allocator loses between tensors. */
  readonly allocator: number;
  readonly total: number;
  /** Blocks are not computed again. */
  readonly keepsActivations: boolean;
}

/** In bytes: if a step's activations are estimated to take more, blocks are computed again. */
const mostActivations = 2e9;

/** Captions whose tokens are counted. */
const sampleSize = 2000;

/** Of a thread that decodes images and reads ahead. */
const workerBytes = 45e6;

/**
 * What is taken on top of tensors, as a share of them. TensorFlow's allocator for oneDNN never returns memory, and tensors
 * of a step do not fit exactly into the gaps of the step before; so does wasm's heap, beside which weights pass through
 * JavaScript's. The share of wasm is checked by spec/node/train/memory.slow.ts on four blocks of the published size; that of
 * TensorFlow comes from two runs of `train --json` and is not checked.
 */
const allocatorShare: Readonly<Record<string, number>> = { tensorflow: 0.3, wasm: 0.45 };

/** @param isCached features of the images are known, or computed once before the first step */
export async function planMemory(
  model: Clip,
  { captions }: Pairs,
  { locks, batchSize, accumFreq, gradClipNorm, gradCheckpointing, workers }: TrainSettings,
  isCached: boolean,
): Promise<RunMemory> {
  const tokenizer = await model.tokenizer();
  const stride = Math.max(1, Math.floor(captions.length / sampleSize));
  const rows = captions.filter((_, i) => i % stride === 0).map((caption) => tokenizer.encode(caption));
  const shape = {
    trained: trainableWeights(model, locks),
    images: isCached ? 0 : batchSize,
    texts: typicalBatch(
      rows.map(({ length }) => length),
      batchSize,
    ),
    textsAtOnce,
    words: new Set(rows.flat()).size,
    collects: accumFreq > 1 || gradClipNorm !== null,
  };
  const kept = stepMemory(model, shape, true);
  const keepsActivations = !gradCheckpointing && kept.activations <= mostActivations;
  const step = keepsActivations ? kept : stepMemory(model, shape, false);
  const own = process.memoryUsage().rss + (isCached ? 0 : workers * workerBytes);
  const allocator = (allocatorShare[getBackend()] ?? 0) * totalBytes(step);
  return { ...step, process: own, allocator, total: own + totalBytes(step) + allocator, keepsActivations };
}

/** Lengths at even distances of all lengths. */
function typicalBatch(lengths: readonly number[], size: number): number[] {
  const sorted = [...lengths].sort((a, b) => a - b);
  return Array.from({ length: size }, (_, i) => sorted[Math.floor(((i + 0.5) / size) * sorted.length)]!);
}
