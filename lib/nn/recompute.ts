/**
 * Gradients through a tower, one stage at a time: the forward pass keeps only the residual stream between the blocks, and
 * the backward pass computes each block again, with derivatives, from its last to its first.
 *
 * At most one block's activations are in memory, and of streamed weights one block's. The price is a second forward pass.
 * Paper: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016 (arXiv 1604.06174).
 */
import { add, engine, keep, tidy, zeros, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { WeightScope } from "../tensor/model-weights.ts";
import { RowTable } from "../tensor/row-table.ts";
import { withInnerPatch } from "../tensor/taps.ts";
import { loadAll, Weight, type Loadable } from "../tensor/weight.ts";
import { stagesOf, type Stage } from "./stages.ts";
import { withWeights, type RunOptions, type Tower } from "./tower.ts";

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
  /** [B, embedDim]; disposed with the rest */
  readonly embedding: Tensor2D;
  /** Whether anything that is wanted is in this tower. */
  readonly isWanted: boolean;
  /** Inside the same pass. @param gradient with respect to the embedding; the caller's */
  backward(gradient: Tensor): Promise<void>;
  dispose(): void;
}

interface Step {
  readonly stage: Stage;
  /** What the stage takes; the first stage's is the source. Null if no gradient goes as far back. */
  readonly input: Tensor | null;
  readonly wantsInput: boolean;
  readonly weights: readonly (Weight | RowTable)[];
  /** Shapes of the wanted taps. */
  readonly taps: ReadonlyMap<string, readonly number[]>;
}

/** Runs a tower inside a pass and keeps what its backward pass needs. */
export async function runRecorded<Input>(
  tower: Tower<Input>,
  input: Input,
  wanted: Wanted,
  { signal, onBlock }: RunOptions = {},
): Promise<Recorded> {
  const mask = tidy(() => tower.mask(input));
  const stages = stagesOf(tower, input, mask);
  const weights = wantedWeights(stages, wanted.weights);
  const kept: Tensor[] = mask ? [mask] : [];
  const steps: Step[] = []; // from the first stage that a gradient reaches
  let blocksDone = 0;
  const advance = ({ isBlock }: Stage): void => {
    if (isBlock) onBlock?.(++blocksDone, 2 * tower.blocks.length);
  };
  const dispose = (): void => {
    for (const tensor of kept) tensor.dispose();
  };
  try {
    let x: Tensor | null = null;
    for (const [i, stage] of stages.entries()) {
      signal?.throwIfAborted();
      const taps = new Map<string, readonly number[]>();
      const note = (name: string, value: Tensor): null => {
        if (wanted.tap(name)) taps.set(name, value.shape);
        return null;
      };
      const from: Tensor | null = x;
      x = await withWeights(stage.weights, () => withInnerPatch(note, () => stage.run(from), false));
      kept.push(x);
      const wantsInput = i === 0 ? wanted.source !== null : steps.length > 0;
      if (wantsInput || weights[i]!.length > 0 || taps.size > 0) {
        steps.push({ stage, input: i === 0 ? wanted.source : from, wantsInput, weights: weights[i]!, taps });
      } else from?.dispose();
      advance(stage);
    }
    return {
      embedding: x as Tensor2D,
      isWanted: steps.length > 0,
      dispose,
      async backward(gradient) {
        let dy = gradient.clone();
        try {
          for (const step of steps.toReversed()) {
            signal?.throwIfAborted();
            const dx = await backwardStep(step, dy, wanted);
            dy.dispose();
            dy = dx;
            advance(step.stage);
          }
          if (steps[0]?.stage === stages[0] && wanted.source !== null) wanted.onSource(dy.clone());
        } finally {
          dy.dispose();
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
  if (part instanceof WeightScope) return part.weights;
  return part instanceof Weight || part instanceof RowTable ? [part] : [];
}

/** @returns the gradient with respect to the stage's input, or to nothing ([0]) if it is not wanted */
async function backwardStep(step: Step, dy: Tensor, wanted: Wanted): Promise<Tensor> {
  const { stage, taps } = step;
  const values = new Map<string, Tensor>();
  const made: Tensor[] = [];
  try {
    await loadAll(stage.weights);
    const handles = step.weights.filter((handle) => handle.isLoaded); // a tower may not use all of its tables
    const [dx, ofWeights, ofTaps] = differentiate(step, handles, dy, values);
    made.push(dx, ...ofTaps);
    for (const [i, handle] of handles.entries()) {
      const gradient = ofWeights[i];
      if (gradient) wanted.onWeight(handle, gradient);
    }
    for (const [i, name] of [...[...taps.keys()].entries()].reverse()) {
      await wanted.onTap(name, ofTaps[i]!, values.get(name)!);
    }
    return made.shift()!;
  } catch (error) {
    disposeTape();
    throw error;
  } finally {
    for (const tensor of [...made, ...values.values()]) tensor.dispose();
    for (const weight of stage.weights) weight.release();
  }
}

/** @param values receives the values of the taps */
function differentiate(
  { stage, input, wantsInput, taps }: Step,
  handles: readonly (Weight | RowTable)[],
  dy: Tensor,
  values: Map<string, Tensor>,
): [dx: Tensor, ofWeights: (Tensor | undefined)[], ofTaps: Tensor[]] {
  return tidy(() => {
    // The gradient at a tap is that of zeros which are added to its value.
    const additions = new Map(Array.from(taps, ([name, shape]) => [name, zeros([...shape])]));
    const patch = (name: string, value: Tensor): Tensor | null => {
      const addition = additions.get(name);
      if (addition === undefined) return null;
      values.set(name, keep(value.clone()));
      return add(value, addition);
    };
    const variables = [...(wantsInput ? [input!] : []), ...handles.map(tensorOf), ...additions.values()];
    const forward = (): Tensor => withInnerPatch(patch, () => stage.run(input), true);
    const { grads } = engine().gradients(forward, variables, dy, true);
    const found: (Tensor | undefined)[] = grads; // undefined for what the output does not depend on
    const dx = wantsInput ? (found.shift() ?? zeros(input!.shape)) : zeros([0]);
    const ofWeights = found.slice(0, handles.length);
    const ofTaps = [...taps.values()].map((shape, i) => found[handles.length + i] ?? zeros([...shape]));
    return [dx, ofWeights, ofTaps];
  });
}

const tensorOf = (handle: Weight | RowTable): Tensor =>
  handle instanceof RowTable ? handle.rows : handle.tensor;

/** tfjs keeps what operations save for the backward pass, and frees it only at the end of a gradient that succeeds. */
export function disposeTape(): void {
  const { state } = engine();
  const tape = state.activeTape as typeof state.activeTape | null; // null outside a gradient, contrary to its declared type
  for (const { saved } of tape ?? []) for (const tensor of saved ?? []) tensor.dispose();
  state.activeTape = [];
}
