/**
 * What every layer is: something with a path in the state dict, that is loaded, applied and released.
 *
 * A layer's constructor asks its WeightScope for children and weights and does nothing else; `forward` is the layer.
 */
import { tidy, type Tensor } from "@tensorflow/tfjs-core";
import { pass, tap, tapOwned } from "../tensor/taps.ts";
import { loadAll, type WeightScope } from "../tensor/weights.ts";

/** A layer that computes in one go, with its weights loaded. */
export abstract class Module<Inputs extends unknown[], Output extends Tensor = Tensor> {
  readonly scope: WeightScope;

  constructor(scope: WeightScope) {
    this.scope = scope;
  }

  /** The layer itself. Callers use `apply`. */
  protected abstract forward(...inputs: Inputs): Output;

  /** Computes the output, frees what lay between, and emits the output as the tap of this module's path. */
  apply(...inputs: Inputs): Output {
    return tidy(() => tap(this.scope.path, this.forward(...inputs)));
  }
}

/** Weights that can be had and given back: a scope with all below it, or a single one. */
export interface Loadable {
  load(): Promise<void>;
  release(): void;
}

/**
 * A computation that stops where it needs weights: it yields them, and goes on when they are loaded. `run` loads them
 * as they are asked for; `runLoaded` runs in one go, which gradients need, when they are loaded already.
 */
export type Steps<T> = Generator<readonly Loadable[], T, void>;

/** Runs a computation: weights are loaded as it asks for them, and given back when it has gone on to ask for others. */
export async function run<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    const weights = step.value;
    try {
      await loadAll(weights);
      step = steps.next();
    } catch (error) {
      step = steps.throw(error); // so that it frees what it holds; throws in turn
    } finally {
      for (const weight of weights) weight.release();
    }
  }
  return step.value;
}

/** Runs a computation whose weights are all loaded. */
export function runLoaded<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** A part of the network whose layers are loaded one after another while it runs. */
export abstract class StreamedModule<Inputs extends unknown[], Output extends Tensor = Tensor> {
  readonly scope: WeightScope;

  constructor(scope: WeightScope) {
    this.scope = scope;
  }

  protected abstract forward(...inputs: Inputs): Steps<Output>;

  /** As `Module.apply`, for use inside another computation; the caller owns the output, inputs stay the caller's. */
  *steps(...inputs: Inputs): Steps<Output> {
    const output = yield* this.forward(...inputs);
    // The English models' text tower lies at the root of the state dict: it is no module of its own.
    return this.scope.path === "" ? output : tapOwned(this.scope.path, output);
  }

  /** As `Module.apply`, on its own: a pass, which waits for the passes before it. */
  apply(...inputs: Inputs): Promise<Output> {
    return pass(() => run(this.steps(...inputs)));
  }
}

/** Asks for weights and computes with them, freeing what lies between. */
export function* withWeights<T extends Tensor>(weights: readonly Loadable[], compute: () => T): Steps<T> {
  yield weights;
  return tidy(compute);
}

/** Uses a tensor across awaits and frees it, whatever happens. */
export async function disposing<T extends Tensor, R>(tensor: T, use: (tensor: T) => Promise<R>): Promise<R> {
  try {
    return await use(tensor);
  } finally {
    tensor.dispose();
  }
}

/** `disposing` inside a computation. */
export function* consuming<T extends Tensor, R>(tensor: T, use: (tensor: T) => Steps<R>): Steps<R> {
  try {
    return yield* use(tensor);
  } finally {
    tensor.dispose();
  }
}

/**
 * Runs a stack of blocks, each with its weights loaded just in time: x ← block(x).
 *
 * The input stays the caller's; at any moment there is one block's weights and the next one's bytes (where they are
 * streamed) and one x.
 */
export function* runBlocks<Block extends { readonly scope: WeightScope }, T extends Tensor>(
  blocks: readonly Block[],
  input: T,
  step: (block: Block, x: T) => T,
): Steps<T> {
  let x: T = input.clone();
  for (const [i, block] of blocks.entries()) {
    x = yield* consuming(x, (before) =>
      withWeights([block.scope], () => {
        blocks[i + 1]?.scope.prefetch(); // read while this block computes
        return step(block, before);
      }),
    );
  }
  return x;
}
