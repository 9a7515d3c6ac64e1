/**
 * What every layer is: something with a path in the state dict, that is loaded, applied and released.
 *
 * A layer's constructor asks its WeightScope for children and weights and does nothing else; `forward` is the layer.
 */
import { tidy, type Tensor } from "@tensorflow/tfjs-core";
import { tap, tapOwned } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/weights.ts";

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

/** A part of the network whose layers are loaded one after another while it runs. */
export abstract class StreamedModule<Inputs extends unknown[], Output extends Tensor = Tensor> {
  readonly scope: WeightScope;

  constructor(scope: WeightScope) {
    this.scope = scope;
  }

  protected abstract forward(...inputs: Inputs): Promise<Output>;

  /** As `Module.apply`; the caller owns the output, inputs stay the caller's. */
  async apply(...inputs: Inputs): Promise<Output> {
    return tapOwned(this.scope.path, await this.forward(...inputs));
  }
}

/** Weights that can be had and given back: a scope with all below it, or a single one. */
export interface Loadable {
  load(): Promise<void>;
  release(): void;
}

/** Loads weights, computes with them (freeing what lies between), and gives them back. */
export async function withWeights<T extends Tensor>(
  weights: readonly Loadable[],
  compute: () => T,
): Promise<T> {
  try {
    await Promise.all(weights.map((weight) => weight.load()));
    return tidy(compute);
  } finally {
    for (const weight of weights) weight.release();
  }
}

/** Uses a tensor across awaits and frees it, whatever happens. */
export async function disposing<T extends Tensor, R>(tensor: T, use: (tensor: T) => Promise<R>): Promise<R> {
  try {
    return await use(tensor);
  } finally {
    tensor.dispose();
  }
}

/**
 * Runs a stack of blocks, each with its weights loaded just in time: x ← block(x).
 *
 * The input stays the caller's; at any moment there is one block's weights (where they are streamed) and one x.
 */
export async function runBlocks<Block extends { readonly scope: WeightScope }, T extends Tensor>(
  blocks: readonly Block[],
  input: T,
  step: (block: Block, x: T) => T,
): Promise<T> {
  let x: T = input.clone();
  for (const block of blocks) {
    x = await disposing(x, (before) => withWeights([block.scope], () => step(block, before)));
  }
  return x;
}
