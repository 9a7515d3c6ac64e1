/**
 * A tower: embed → blocks → readOut.
 *
 * `embed` turns an input into the residual stream, each block maps the stream to itself, and `readOut` turns the stream
 * into an embedding. Two runners share this shape: `runStreaming` loads each part's weights just before it runs;
 * `runRecorded` (recompute.ts) does the same and can be followed backwards, for gradients.
 */
import { tidy, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { disposing } from "../tensor/disposing.ts";
import { pass, settleTaps, tapOwned } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/model-weights.ts";
import type { RowTable } from "../tensor/row-table.ts";
import { loadAll, type Loadable, type Weight } from "../tensor/weight.ts";

/** A layer that maps the residual stream to itself. */
export interface Block {
  readonly scope: WeightScope;
  /** The scope of the module that computes attention. */
  readonly attentionScope: WeightScope;
  /** Width of the residual stream. */
  readonly width: number;
  /** Heads of its attention. */
  readonly heads: number;
  /** @param x [B, L, width] @param mask added to the attention scores @returns [B, L, width] */
  apply(x: Tensor3D, mask?: Tensor4D): Tensor3D;
}

/** A tower of the network: `embed`, then `blocks`, then `readOut`. */
export abstract class Tower<Input> {
  readonly scope: WeightScope;
  /** The modules that hold the blocks, innermost first. Each emits the stream after the last block as its tap. */
  abstract readonly containers: readonly WeightScope[];
  abstract readonly blocks: readonly Block[];
  /** The tap of what the first block takes: the output of `embed`. */
  abstract readonly embedTap: string;
  /** The weights of `readOut`. */
  abstract readonly readOutWeights: readonly Loadable[];

  constructor(scope: WeightScope) {
    this.scope = scope;
  }

  /**
   * The weights that stay fixed if the tower is locked except for its last groups of layers, as open_clip's `lock` does.
   *
   * @param unlocked how many groups at the end are trained
   */
  abstract locked(unlocked: number): readonly (Weight | RowTable)[];

  /** The weights of `embed`; of a table, the rows that the input needs. */
  abstract embedWeights(input: Input): readonly Loadable[];

  /** @returns the residual stream [B, L, width] */
  abstract embed(input: Input): Tensor3D;

  /** The attention mask of every block; four axes that broadcast to [B, heads, L, L]. Undefined if there is none. */
  abstract mask(input: Input): Tensor4D | undefined;

  /** @param x the residual stream [B, L, width] @returns the embedding [B, embedDim] */
  abstract readOut(x: Tensor3D, input: Input): Tensor2D;

  /** Runs the tower as a pass of its own. @returns [B, embedDim]; the caller disposes it */
  apply(input: Input, options?: RunOptions): Promise<Tensor2D> {
    return pass(() => runStreaming(this, input, options));
  }
}

/** Options of a pass through a tower. */
export interface RunOptions {
  /** Stops the pass before the next block. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each block with the number of blocks done, the skipped ones included, and the number of all. */
  readonly onBlock?: ((done: number, total: number) => void) | undefined;
}

/** A place inside a tower where a pass begins, with the residual stream that it begins from. */
export interface StreamStart {
  /** The first block that runs; the number of blocks for the read-out alone. */
  readonly block: number;
  /** What that block takes. [B, L, width] */
  readonly stream: Tensor3D;
}

/**
 * Runs a tower inside a pass, loading the weights of each part just before it runs and releasing them afterwards.
 *
 * While a block computes, the next one's weights are read. Where weights are streamed, at most one block's weights and
 * the next one's bytes are in memory.
 *
 * @param start begin there; the parts before it are neither run nor tapped. Default: with `embed`
 * @returns [B, embedDim]; the caller disposes it
 * @throws the signal's reason if it is aborted
 */
export async function runStreaming<Input>(
  tower: Tower<Input>,
  input: Input,
  options: RunOptions = {},
  start?: StreamStart,
): Promise<Tensor2D> {
  const { blocks, containers, scope } = tower;
  let x = await runBlocks(tower, input, blocks.length, options, start); // [B, L, width]
  for (const container of containers) x = tapOwned(container.path, x);
  const embedding = await disposing(x, (stream) =>
    withWeights(tower.readOutWeights, () => tower.readOut(stream, input)),
  ); // [B, embedDim]
  return scope.path === "" ? embedding : tapOwned(scope.path, embedding);
}

/**
 * Runs a tower inside a pass up to its block `end`, as `runStreaming` does.
 *
 * @param end the first block that does not run
 * @returns the residual stream [B, L, width]; the caller disposes it
 * @throws the signal's reason if it is aborted
 */
export async function runBlocks<Input>(
  tower: Tower<Input>,
  input: Input,
  end: number,
  { signal, onBlock }: RunOptions = {},
  start?: StreamStart,
): Promise<Tensor3D> {
  signal?.throwIfAborted();
  const blocks = tower.blocks.slice(0, end);
  const mask = tidy(() => tower.mask(input));
  try {
    let x = start?.stream.clone() ?? (await withWeights(tower.embedWeights(input), () => tower.embed(input))); // [B, L, width]
    for (const [i, block] of blocks.entries()) {
      if (i < (start?.block ?? 0)) continue;
      x = await disposing(x, (stream) => {
        signal?.throwIfAborted();
        return withWeights([block.scope], () => {
          blocks[i + 1]?.scope.prefetch();
          return block.apply(stream, mask);
        });
      });
      onBlock?.(i + 1, blocks.length);
    }
    return x;
  } finally {
    mask?.dispose();
    for (const block of blocks) block.scope.release(); // a pass that stops early has the next block's bytes
  }
}

/** The weights of groups of layers, without the last `unlocked` groups. */
export function lockedGroups(
  groups: readonly (readonly (Weight | RowTable)[])[],
  unlocked: number,
): readonly (Weight | RowTable)[] {
  return groups.slice(0, Math.max(0, groups.length - unlocked)).flat();
}

/** Loads weights, computes with them, waits until tap sinks have finished reading, and releases the weights. */
export async function withWeights<T extends Tensor | Tensor[]>(
  weights: readonly Loadable[],
  compute: () => T,
): Promise<T> {
  try {
    await loadAll(weights);
    const output = tidy(compute);
    await settleTaps().catch((error: unknown) => {
      for (const tensor of [output].flat()) tensor.dispose();
      throw error;
    });
    return output;
  } finally {
    for (const weight of weights) weight.release();
  }
}
