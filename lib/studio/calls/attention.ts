/** Attention of a pass, one matrix at a time: all layers of a ViT-H would be 135 MB. */
import { Rollout } from "../../study/attention.ts";
import type { TraceSource } from "../../trace/trace-source.ts";
import type { Answer } from "../answer.ts";

/** A head of a layer; null for the mean over heads. */
export interface HeadParams {
  /** Of an image's or a text's pass. */
  readonly trace: string;
  readonly layer: number;
  readonly head: number | null;
}

/** A head's attention [L, L]: row q holds what token q attends to. */
export const attention: Answer<HeadParams, Float32Array> = async (passes, { trace, layer, head }) => {
  const source = passes.find(trace).trace;
  const { name, heads, length } = layersOf(source)[layer]!;
  const size = length * length;
  if (head !== null) return (await source.read(name, head * size, size)).slice();
  const values = await source.read(name);
  const mean = new Float32Array(size);
  for (let i = 0; i < values.length; i++) mean[i % size]! += values[i]! / heads;
  return mean;
};

/** The class token's attention, rolled out up to and with a layer: [L], the class token first. */
export const rollout: Answer<{ readonly trace: string; readonly layer: number }, Float64Array> = async (
  passes,
  params,
  { signal, progress },
) => {
  const source = passes.find(params.trace).trace;
  const flow = new Rollout();
  for (const [i, { name, heads, length }] of layersOf(source)
    .slice(0, params.layer + 1)
    .entries()) {
    signal.throwIfAborted();
    flow.add({ values: await source.read(name), heads, length });
    progress(i + 1, params.layer + 1);
  }
  const patches = flow.classToken();
  return Float64Array.from([1 - patches.reduce((sum, weight) => sum + weight, 0), ...patches]);
};

function layersOf({ taps }: TraceSource): { name: string; heads: number; length: number }[] {
  return taps
    .filter(({ name }) => name.endsWith("#probabilities"))
    .map(({ name, shape }) => ({ name, heads: shape[1]!, length: shape[2]! }));
}
