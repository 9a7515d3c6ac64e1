/**
 * Gradients through a tower, one stage at a time: the forward pass keeps only the residual stream between the blocks, and
 * the backward pass computes each block again, with derivatives, from its last to its first.
 *
 * At most one block's activations are in memory, and of streamed weights one block's. The price is a second forward pass.
 * Paper: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016 (arXiv 1604.06174).
 */
import { add, keep, tidy, zeros, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { WeightScope } from "../tensor/model-weights.ts";
import { RowTable } from "../tensor/row-table.ts";
import { withInnerPatch } from "../tensor/taps.ts";
import { loadAll, Weight, type Loadable } from "../tensor/weight.ts";
import { gradientsOf } from "./backpropagate.ts";
import { stagesOf, type Stage } from "./stages.ts";
import { withWeights, type RunOptions, type StreamStart, type Tower } from "./tower.ts";

/** What gradients are computed for, and who receives them. */
export interface Wanted {
  /** Weights and tables of this tower. */
  readonly weights: ReadonlySet<Weight | RowTable>;
  readonly tap: (name: string) => boolean;
  /** The tower's input, if its gradient is wanted. */
  readonly source: Tensor | null;
  /** Takes ownership of the gradient, which has the layout of `handle.tensor` or `handle.rows`. */
  readonly onWeight: (handle: Weight | RowTable, gradient: Tensor) => void;
  /** Borrows both tensors until its promise settles. */
  readonly onTap: (name: string, gradient: Tensor, value: Tensor) => unknown;
  /** Takes ownership of the gradient. */
  readonly onSource: (gradient: Tensor) => void;
}

/** A forward pass that can be followed backwards. */
export interface Recorded {
  /** [B, embedDim] of each batch; disposed with the rest */
  readonly embeddings: readonly Tensor2D[];
  /** Whether anything that is wanted is in this tower. */
  readonly isWanted: boolean;
  /** Inside the same pass. @param gradients with respect to the embeddings; the caller's */
  backward(gradients: readonly Tensor[]): Promise<void>;
  dispose(): void;
}

/** An input in several batches, such as texts of different lengths. */
export interface Batched<Input> {
  /** The whole input: its weights are loaded. */
  readonly whole: Input;
  /** Its parts. */
  readonly batches: readonly Input[];
}

interface Step {
  /** The stage, for each batch. */
  readonly stages: readonly Stage[];
  /** Everything that the stage reads. */
  readonly loaded: Stage["weights"];
  /** What the stage takes; the first stage's is the source. Null if no gradient goes as far back. */
  readonly inputs: readonly (Tensor | null)[];
  readonly wantsInput: boolean;
  readonly weights: readonly (Weight | RowTable)[];
  /** Shapes of the wanted taps. */
  readonly taps: ReadonlyMap<string, readonly number[]>;
}

/**
 * Runs a tower inside a pass and keeps what its backward pass needs. Each stage runs on all batches before the next one
 * begins, in both directions, and the gradient of a weight is the sum over the batches.
 *
 * @param input in one batch, if taps or the source are wanted
 * @param start begin there, in place of `embed`; for an input of one batch
 */
export async function runRecorded<Input>(
  tower: Tower<Input>,
  { whole, batches }: Batched<Input>,
  wanted: Wanted,
  { signal, onBlock }: RunOptions = {},
  start?: StreamStart,
): Promise<Recorded> {
  const masks = batches.map((batch) => tidy(() => tower.mask(batch)));
  const byBatch = batches.map((batch, b) => stagesOf(tower, batch, masks[b], start));
  const stages = stagesOf(tower, whole, masks[0], start);
  const weights = wantedWeights(stages, wanted.weights);
  const kept: Tensor[] = masks.filter((mask) => mask !== undefined);
  const steps: Step[] = []; // from the first stage that a gradient reaches
  let blocksDone = 0;
  const advance = ({ isBlock }: Stage): void => {
    if (isBlock) onBlock?.(++blocksDone, 2 * tower.blocks.length);
  };
  const dispose = (): void => {
    for (const tensor of kept) tensor.dispose();
  };
  try {
    let streams: readonly (Tensor | null)[] = batches.map(() => null);
    for (const [i, stage] of stages.entries()) {
      signal?.throwIfAborted();
      const taps = new Map<string, readonly number[]>();
      const note = (name: string, value: Tensor): null => {
        if (wanted.tap(name)) taps.set(name, value.shape);
        return null;
      };
      const from = streams;
      const ofBatches = byBatch.map((own) => own[i]!);
      streams = await withWeights(stage.weights, () =>
        ofBatches.map((own, b) => withInnerPatch(note, () => own.run(from[b]!), false)),
      );
      for (const stream of streams) kept.push(stream!);
      const wantsInput = i === 0 ? wanted.source !== null : steps.length > 0;
      if (wantsInput || weights[i]!.length > 0 || taps.size > 0) {
        const inputs = i === 0 ? batches.map(() => wanted.source) : from;
        steps.push({
          stages: ofBatches,
          loaded: stage.weights,
          inputs,
          wantsInput,
          weights: weights[i]!,
          taps,
        });
      } else for (const stream of from) stream?.dispose();
      advance(stage);
    }
    return {
      embeddings: streams as Tensor2D[],
      isWanted: steps.length > 0,
      dispose,
      async backward(gradients) {
        let dys: readonly Tensor[] = gradients.map((gradient) => gradient.clone());
        try {
          for (const step of steps.toReversed()) {
            signal?.throwIfAborted();
            const dxs = await backwardStep(step, dys, wanted);
            for (const dy of dys) dy.dispose();
            dys = dxs;
            for (const input of step.inputs) if (input !== wanted.source) input?.dispose(); // not needed by earlier stages
            advance(step.stages[0]!);
          }
          const reachesSource = steps[0]?.stages[0] === byBatch[0]?.[0];
          if (reachesSource && wanted.source !== null) wanted.onSource(dys[0]!.clone());
        } finally {
          for (const dy of dys) dy.dispose();
        }
      },
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** The wanted weights of each stage. The first has those that no other stage has. */
function wantedWeights(
  stages: readonly Stage[],
  wanted: Wanted["weights"],
): (readonly (Weight | RowTable)[])[] {
  const others = stages
    .slice(1)
    .map(({ weights }) => weights.flatMap(handlesOf).filter((w) => wanted.has(w)));
  const taken = new Set(others.flat());
  return [[...wanted].filter((weight) => !taken.has(weight)), ...others];
}

function handlesOf(part: Loadable): readonly (Weight | RowTable)[] {
  if (part instanceof WeightScope) return part.weights.flatMap(withAdapter);
  return part instanceof Weight || part instanceof RowTable ? withAdapter(part) : [];
}

function withAdapter(handle: Weight | RowTable): readonly (Weight | RowTable)[] {
  return handle instanceof Weight && handle.adapter ? [handle, ...handle.adapter.weights] : [handle];
}

/** @returns the gradients with respect to the stage's inputs, or to nothing ([0]) if they are not wanted */
async function backwardStep(step: Step, dys: readonly Tensor[], wanted: Wanted): Promise<Tensor[]> {
  const { loaded, taps } = step;
  const values = new Map<string, Tensor>();
  const made: Tensor[] = [];
  try {
    await loadAll(loaded);
    const handles = step.weights.filter((handle) => handle.isLoaded); // a tower may not use all of its tables
    const sums: (Tensor | undefined)[] = [];
    const dxs: Tensor[] = [];
    for (const [b, dy] of dys.entries()) {
      const [dx, ofWeights, ofTaps] = differentiate(step, b, handles, dy, values);
      dxs.push(dx);
      made.push(dx, ...ofTaps);
      for (const [i, gradient] of ofWeights.entries()) sums[i] = summed(sums[i], gradient);
      if (b < dys.length - 1) continue;
      for (const [i, handle] of handles.entries()) {
        const gradient = sums[i];
        if (gradient) wanted.onWeight(handle, gradient);
      }
      for (const [i, name] of [...[...taps.keys()].entries()].reverse()) {
        await wanted.onTap(name, ofTaps[i]!, values.get(name)!);
      }
    }
    for (const dx of dxs) made.splice(made.indexOf(dx), 1);
    return dxs;
  } finally {
    for (const tensor of [...made, ...values.values()]) tensor.dispose();
    for (const weight of loaded) weight.release();
  }
}

/** Takes the ownership of both. */
function summed(one: Tensor | undefined, other: Tensor | undefined): Tensor | undefined {
  if (!one || !other) return one ?? other;
  const sum = add(one, other);
  one.dispose();
  other.dispose();
  return sum;
}

/** @param b the batch @param values receives the values of the taps */
function differentiate(
  { stages, inputs, wantsInput, taps }: Step,
  b: number,
  handles: readonly (Weight | RowTable)[],
  dy: Tensor,
  values: Map<string, Tensor>,
): [dx: Tensor, ofWeights: (Tensor | undefined)[], ofTaps: Tensor[]] {
  const input = inputs[b]!;
  return tidy(() => {
    // The gradient at a tap is that of zeros which are added to its value.
    const additions = new Map(Array.from(taps, ([name, shape]) => [name, zeros([...shape])]));
    const patch = (name: string, value: Tensor): Tensor | null => {
      const addition = additions.get(name);
      if (addition === undefined) return null;
      values.set(name, keep(value.clone()));
      return add(value, addition);
    };
    const variables = [...(wantsInput ? [input] : []), ...handles.map(tensorOf), ...additions.values()];
    const forward = (): Tensor => withInnerPatch(patch, () => stages[b]!.run(input), true);
    const found = [...gradientsOf(forward, variables, dy).gradients]; // undefined for what the output does not depend on
    const dx = wantsInput ? (found.shift() ?? zeros(input.shape)) : zeros([0]);
    const ofWeights = found.slice(0, handles.length);
    const ofTaps = [...taps.values()].map((shape, i) => found[handles.length + i] ?? zeros([...shape]));
    return [dx, ofWeights, ofTaps];
  });
}

/** What a gradient of a handle has the layout of. */
export const tensorOf = (handle: Weight | RowTable): Tensor =>
  handle instanceof RowTable ? handle.rows : handle.tensor;
