/**
 * How much memory a training step takes: to decide whether blocks are computed again, and to tell before a run starts.
 * `spec/node/train/memory.spec.ts` and `memory.slow.ts` compare it with the peak of a process.
 */
import type { Clip } from "../clip/clip.ts";
import { byLength } from "../clip/loss-gradients.ts";
import type { Block } from "../nn/tower.ts";
import { elementCount } from "../tensor/dtype.ts";
import { RowTable } from "../tensor/row-table.ts";
import type { Weight } from "../tensor/weight.ts";

/** Numbers that a block keeps for its backward pass for each token, in widths of the residual stream, with an MLP of 4 widths. */
const keptPerToken = 21;

/** The same for what one block computes beside them, forwards and backwards. Measured, as the other. */
const usedPerToken = 50;

/** The same in a pass without gradients. */
const forwardPerToken = 25;

/** Tensors of a weight's size while AdamW updates it: new value and moments, and what they are computed from. */
const updateCopies = 6;

/** Tokens of a caption, where captions are not known. */
export const typicalTokens = 32;

const float = Float32Array.BYTES_PER_ELEMENT;

/** What a step works on. */
export interface StepShape {
  readonly trained: ReadonlySet<Weight | RowTable>;
  /** Pairs of a batch that go through the image tower; 0 where features are cached. */
  readonly images: number;
  /** Token counts of the texts of a batch. */
  readonly texts: readonly number[];
  /** As in `StepOptions`. */
  readonly textsAtOnce: number;
  /** Different tokens of all texts: their rows are the part of a table that is in memory. */
  readonly words: number;
  /** Gradients of all weights are collected before the update: accumulation and clipping do so. */
  readonly collects: boolean;
}

/** In bytes. */
export interface StepMemory {
  /** Weights of the towers that run. */
  readonly weights: number;
  /** AdamW's moments. */
  readonly moments: number;
  readonly gradients: number;
  readonly activations: number;
}

/** The tokens of one batch of a tower, and its blocks. */
interface Load {
  readonly blocks: readonly Pick<Block, "width" | "scope">[];
  /** Tokens, padding included, of each part that runs at once. */
  readonly tokens: readonly number[];
}

/**
 * The memory of a training step, in bytes, from the shapes alone.
 *
 * @param keepsActivations as in `StepOptions`
 */
export function stepMemory(model: Clip, shape: StepShape, keepsActivations: boolean): StepMemory {
  const { trained, words, collects } = shape;
  const { residency, handles } = model.weights;
  const isImage = ({ name }: Weight | RowTable): boolean => name.startsWith(`${model.visual.scope.path}.`);
  const running = handles.filter((handle) => trained.has(handle) || shape.images > 0 || !isImage(handle));
  const sizeOf = (handle: Weight | RowTable): number =>
    float *
    (handle instanceof RowTable
      ? Math.min(words, handle.shape[0]) * handle.shape[1]
      : elementCount(handle.shape));
  const bytes = (list: readonly (Weight | RowTable)[]): number =>
    list.reduce((sum, handle) => sum + sizeOf(handle), 0);
  const own = running.filter((handle) => trained.has(handle));
  const fixed = running.filter((handle) => !trained.has(handle));
  const loads = loadsOf(model, shape);
  const blockBytes = Math.max(
    ...loads.flatMap(({ blocks }) => blocks.map(({ scope }) => bytes(scope.weights))),
  );
  const largest = Math.max(0, ...own.map(sizeOf));
  const parts = shape.texts.length > shape.textsAtOnce ? 2 : 1; // the sum so far, and one more
  return {
    weights: bytes(own) + (residency === "resident" ? bytes(fixed) : Math.min(bytes(fixed), 2 * blockBytes)),
    moments: 2 * bytes(own),
    gradients: collects || keepsActivations ? bytes(own) : Math.min(bytes(own), parts * blockBytes),
    // The update of a weight begins when its block's activations are free.
    activations: Math.max(
      updateCopies * largest,
      loads.reduce((sum, load) => sum + keptBytes(load, trained, keepsActivations), 0) +
        Math.max(...loads.map((load) => usedBytes(load, trained, keepsActivations))),
    ),
  };
}

/** Of all parts. */
export const totalBytes = ({ weights, moments, gradients, activations }: StepMemory): number =>
  weights + moments + gradients + activations;

function loadsOf({ visual, text }: Clip, { images, texts, textsAtOnce }: StepShape): Load[] {
  const rows = texts.map((length) => Array.from({ length }, () => 0));
  const parts = byLength(rows, textsAtOnce).map(
    (some) => some.length * Math.max(...some.map((i) => texts[i]!)),
  );
  const ofText = { blocks: text.blocks, tokens: parts };
  if (images === 0) return [ofText];
  return [ofText, { blocks: visual.blocks, tokens: [images * visual.positionalEmbedding.shape[0]] }];
}

/** The blocks of a tower that a gradient reaches. */
function reachedBlocks({ blocks }: Load, trained: StepShape["trained"]): Load["blocks"] {
  const first = blocks.findIndex(({ scope }) => scope.weights.some((handle) => trained.has(handle)));
  return first === -1 ? [] : blocks.slice(first);
}

/** What a tower keeps until its backward pass: all activations, or the streams between its blocks. */
function keptBytes(load: Load, trained: StepShape["trained"], keepsActivations: boolean): number {
  const all = load.tokens.reduce((sum, count) => sum + count, 0);
  const widths = reachedBlocks(load, trained).reduce((sum, { width }) => sum + width, 0);
  return float * all * widths * (keepsActivations ? keptPerToken : 1);
}

/** What the largest block of a tower needs while it computes. */
function usedBytes(load: Load, trained: StepShape["trained"], keepsActivations: boolean): number {
  const reached = reachedBlocks(load, trained);
  const perToken =
    reached.length === 0 ? forwardPerToken : usedPerToken + (keepsActivations ? 0 : keptPerToken);
  return float * perToken * Math.max(...load.tokens) * Math.max(...load.blocks.map(({ width }) => width));
}

/** What some blocks keep for the backward pass, in bytes. */
export function towerActivations(
  blocks: readonly Pick<Block, "width">[],
  batch: number,
  tokens: number,
): number {
  return float * batch * tokens * keptPerToken * blocks.reduce((sum, { width }) => sum + width, 0);
}
