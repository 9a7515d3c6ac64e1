/**
 * The residual stream of a tower: what each block adds to it, which tokens it makes large, and how it turns.
 *
 * A few tokens of large norm in the middle layers hold global information instead of their patch: Darcet et al., "Vision
 * Transformers Need Registers", 2024 (arXiv 2309.16588).
 */
import type { Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { Block, RunOptions, Tower } from "../nn/tower.ts";
import { readTap, withTaps } from "../tensor/taps.ts";

/** The residual stream of one image or one text. */
export interface ResidualStream {
  /** Tokens: of an image, the class token and the patches. */
  readonly length: number;
  readonly width: number;
  /**
   * [length, width] each: first what block 0 takes, then the output of each block. State i is the input of block i.
   */
  readonly states: readonly Float32Array[];
  /** [length, width] each: the stream between attention and MLP. Empty for a post-norm tower (XLM-RoBERTa). */
  readonly middles: readonly Float32Array[];
}

/**
 * Runs the image tower and keeps its residual stream.
 *
 * @param pixels [1, 3, H, W]
 * @throws InputError for more than one image, and as `encodeImage`
 */
export async function imageStream(
  model: Clip,
  pixels: Tensor4D,
  options: RunOptions = {},
): Promise<ResidualStream> {
  if (pixels.shape[0] !== 1)
    throw new InputError(`imageStream: expected one image, found ${pixels.shape[0]}`);
  return streamOf(model.visual, () => model.encodeImage(pixels, options));
}

/**
 * Runs the text tower and keeps its residual stream.
 *
 * @param row token ids, with `<s>` and `</s>`
 * @throws InputError as `encodeTokens`
 */
export async function textStream(
  model: Clip,
  row: readonly number[],
  options: RunOptions = {},
): Promise<ResidualStream> {
  return streamOf(model.text, () => model.encodeTokens([row], options));
}

async function streamOf<Input>(tower: Tower<Input>, run: () => Promise<Tensor>): Promise<ResidualStream> {
  const recorder = new StreamRecorder(tower);
  (await withTaps((name, value) => recorder.see(name, value), run)).dispose();
  return recorder.stream;
}

/** Collects the residual stream of a pass, for a sink that collects other taps too. */
export class StreamRecorder {
  readonly #states: Float32Array[] = [];
  readonly #middles: Float32Array[] = [];
  /** Where the value of a tap goes. */
  readonly #places = new Map<string, (values: Float32Array) => void>();
  #size: readonly [length: number, width: number] = [0, 0];

  constructor({ blocks, embedTap }: Pick<Tower<unknown>, "blocks" | "embedTap">) {
    const [states, middles] = [this.#states, this.#middles];
    for (const [i, name] of [embedTap, ...blocks.map(({ scope }) => scope.path)].entries()) {
      this.#places.set(name, (values) => (states[i] = values));
    }
    for (const [i, { scope }] of blocks.entries()) {
      this.#places.set(`${scope.path}#after_attention`, (values) => (middles[i] = values));
    }
  }

  /** Takes a tap of one input, [1, L, width]; other taps are ignored. */
  async see(name: string, value: Tensor): Promise<void> {
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#size = [value.shape[1]!, value.shape[2]!];
    place(Float32Array.from(await readTap(value)));
  }

  /** After the pass. */
  get stream(): ResidualStream {
    const [length, width] = this.#size;
    return { length, width, states: this.#states, middles: this.#middles };
  }
}

/** The pass of one image or one text, from the middle: its stream, and a way to run the rest from changed states. */
export interface Resumable {
  readonly blocks: readonly Block[];
  readonly stream: ResidualStream;
  /** @param states [B, length, width], the inputs of a block @returns normalised embeddings [B, embedDim] */
  readonly resume: (block: number, states: Tensor3D, options?: RunOptions) => Promise<Tensor2D>;
}

/** One input: an image, or the token ids of a text. */
export type OneInput = { readonly pixels: Tensor4D } | { readonly row: readonly number[] };

/** Runs one pass and keeps its stream. @throws InputError as `imageStream` and `textStream` */
export async function resumable(model: Clip, input: OneInput, options: RunOptions = {}): Promise<Resumable> {
  if ("pixels" in input) {
    return {
      blocks: model.visual.blocks,
      stream: await imageStream(model, input.pixels, options),
      resume: (block, stream, more) => model.resumeImage({ block, stream }, { ...more, normalize: true }),
    };
  }
  const { row } = input;
  return {
    blocks: model.text.blocks,
    stream: await textStream(model, row, options),
    resume: (block, stream, more) => {
      const rows = Array.from({ length: stream.shape[0] }, () => row);
      return model.resumeTokens(rows, { block, stream }, { ...more, normalize: true });
    },
  };
}

/** The norm of each token in each state. @returns [states][length] */
export function tokenNorms({ states, length, width }: ResidualStream): Float64Array[] {
  return states.map((state) => norms(state, length, width));
}

/**
 * The cosine of one token's states with each other: where the stream turns, and where it only grows.
 *
 * @param token 0 is the class token
 * @returns [states · states], row by row
 * @throws InputError for a token that the stream does not have
 */
export function stateCosines({ states, length, width }: ResidualStream, token = 0): Float32Array {
  if (!(token >= 0 && token < length)) {
    throw new InputError(`token ${token}: the stream has the tokens 0 to ${length - 1}`);
  }
  const all = new Float32Array(states.length * width);
  for (const [i, state] of states.entries())
    all.set(state.subarray(token * width, (token + 1) * width), i * width);
  return cosines(all, states.length, width);
}

/**
 * The cosine of each token with each other token, in one state.
 *
 * @param state 0 is what block 0 takes; i is the output of block i − 1
 * @returns [length · length], row by row
 * @throws InputError for a state that the stream does not have
 */
export function tokenCosines({ states, length, width }: ResidualStream, state: number): Float32Array {
  const values = states[state];
  if (values === undefined) {
    throw new InputError(`state ${state}: the stream has the states 0 to ${states.length - 1}`);
  }
  return cosines(values, length, width);
}

/** What a block adds to the stream. */
export interface BlockStep {
  /** Mean norm over tokens of what attention adds. */
  readonly attention: number;
  /** Mean norm over tokens of what the MLP adds. */
  readonly mlp: number;
  /** attention / (attention + mlp) */
  readonly attentionShare: number;
}

/** What attention and MLP add in each block. Empty for a post-norm tower, whose norms leave no sums to compare. */
export function blockSteps({ states, middles, length, width }: ResidualStream): BlockStep[] {
  return middles.map((middle, i) => {
    const attention = meanChange(states[i]!, middle, length, width);
    const mlp = meanChange(middle, states[i + 1]!, length, width);
    return { attention, mlp, attentionShare: attention / (attention + mlp) };
  });
}

function meanChange(from: Float32Array, to: Float32Array, length: number, width: number): number {
  const changes = norms(
    to.map((value, i) => value - from[i]!),
    length,
    width,
  );
  return changes.reduce((sum, norm) => sum + norm, 0) / length;
}

function norms(values: Float32Array, count: number, width: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let j = i * width; j < (i + 1) * width; j++) sum += values[j]! ** 2;
    return Math.sqrt(sum);
  });
}

/** Of each vector with each; 0 for a vector of zeros. [count · count] */
export function cosines(vectors: Float32Array, count: number, width: number): Float32Array {
  const lengths = norms(vectors, count, width);
  const result = new Float32Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = a; b < count; b++) {
      let product = 0;
      for (let i = 0; i < width; i++) product += vectors[a * width + i]! * vectors[b * width + i]!;
      const scale = lengths[a]! * lengths[b]!;
      result[a * count + b] = result[b * count + a] = scale === 0 ? 0 : product / scale;
    }
  }
  return result;
}
