/**
 * Interventions in a row: every head of a tower is taken out, or every state of every token is restored. Passes start at
 * the block that changes, and several changes run as one batch.
 */
import {
  broadcastTo,
  cast,
  eye,
  mean,
  reshape,
  slice,
  tensor3d,
  where,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { assertChoice, assertWhole } from "../errors/arguments.ts";
import { InputError } from "../errors/input-error.ts";
import { withTaps } from "../tensor/taps.ts";
import { scoresOf } from "./saliency/direction.ts";
import { resumable, type OneInput, type Resumable } from "./stream.ts";

/** Options that sweeps share. */
export interface SweepOptions {
  /** Changes that run together. Default: 16. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch with the changes done, and the number of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Options of `sweepHeads`. */
export interface HeadSweepOptions extends SweepOptions {
  /** What the attention of a head becomes: nothing, or the same mean row for all tokens. Default: zero. */
  readonly by?: "zero" | "mean";
}

/** The result of `sweepHeads`. */
export interface HeadSweep {
  /** Of the unchanged pass. */
  readonly score: number;
  /** By layer and head: the score without the head, minus `score`. Below 0: the head speaks for the answer. */
  readonly changes: readonly Float32Array[];
}

/**
 * Takes out one head after the other.
 *
 * A small change does not show that a head does nothing: others may do the same, and take its place.
 *
 * @param direction what is scored, see `labelDirection`; of a text, an image's embedding
 * @throws InputError as `encodeImage` and `encodeTokens`; the signal's reason if it is aborted
 */
export async function sweepHeads(
  model: Clip,
  input: OneInput,
  direction: Tensor2D,
  { by = "zero", batchSize = 16, signal, onProgress }: HeadSweepOptions = {},
): Promise<HeadSweep> {
  assertChoice(by, ["zero", "mean"], "sweepHeads: by");
  assertWhole(batchSize, 1, "sweepHeads: batchSize");
  const run = await resumable(model, input, { signal });
  const [score = NaN] = await scoresFrom(run, run.blocks.length, [null], direction, signal);
  const total = run.blocks.reduce((sum, { heads }) => sum + heads, 0);
  const changes: Float32Array[] = [];
  let done = 0;
  for (const [layer, { heads, attentionScope }] of run.blocks.entries()) {
    const ofLayer: number[] = [];
    for (let first = 0; first < heads; first += batchSize) {
      const count = Math.min(batchSize, heads - first);
      const patch = (name: string, value: Tensor): Tensor | null =>
        name === `${attentionScope.path}#probabilities` ? withoutHeads(value, first, by) : null;
      const unchanged = Array<null>(count).fill(null);
      const scores = await withTaps(
        () => undefined,
        () => scoresFrom(run, layer, unchanged, direction, signal),
        patch,
      );
      ofLayer.push(...scores.map((one) => one - score));
      onProgress?.((done += count), total);
    }
    changes.push(Float32Array.from(ofLayer));
  }
  return { score, changes };
}

/** Takes head `first + i` out of input i. @param value [B, heads, L, L] */
function withoutHeads(value: Tensor, first: number, by: "zero" | "mean"): Tensor {
  const [batch = 0, heads = 0] = value.shape;
  const isOut = reshape(slice(eye(heads), [first, 0], [batch, heads]), [batch, heads, 1, 1]);
  const replacement = by === "zero" ? zerosLike(value) : broadcastTo(mean(value, -2, true), value.shape);
  return where(cast(isOut, "bool"), replacement, value);
}

/** Options of `causalTrace`. */
export interface CausalTraceOptions extends SweepOptions {
  /** The states that are restored: state i is what block i takes. Default: all. */
  readonly states?: readonly number[];
  /** Default: all. */
  readonly tokens?: readonly number[];
}

/** The result of `causalTrace`. */
export interface CausalTrace {
  readonly clean: number;
  readonly corrupted: number;
  /** The score of the corrupted pass with one clean token in one state, by state and token. */
  readonly scores: readonly Float32Array[];
  /** (score − corrupted) / (clean − corrupted): 1 where one token brings the answer back. By state and token. */
  readonly recovered: readonly Float32Array[];
}

/**
 * Causal tracing: where in a pass is what distinguishes two inputs? A pass of the corrupted input is repeated with one
 * token's state taken from the clean input's pass, for each token and each state.
 *
 * Paper: Meng et al., "Locating and Editing Factual Associations in GPT", 2022 (arXiv 2202.05262), section 2.1.
 * @param clean @param corrupted two images, or two texts of equally many tokens
 * @param direction what is scored, see `labelDirection`
 * @throws InputError for texts of different lengths, a state or a token that the stream does not have, and as
 *   `encodeImage` and `encodeTokens`; the signal's reason if it is aborted
 */
export async function causalTrace(
  model: Clip,
  clean: OneInput,
  corrupted: OneInput,
  direction: Tensor2D,
  options: CausalTraceOptions = {},
): Promise<CausalTrace> {
  const { batchSize = 16, signal, onProgress } = options;
  assertWhole(batchSize, 1, "causalTrace: batchSize");
  if ("pixels" in clean !== "pixels" in corrupted)
    throw new InputError("causalTrace: expected two images or two texts");
  const [from, to] = [
    await resumable(model, clean, { signal }),
    await resumable(model, corrupted, { signal }),
  ];
  const { length, states: all } = to.stream;
  if (from.stream.length !== length) {
    throw new InputError(
      `causalTrace: expected texts of equally many tokens, found ${from.stream.length} and ${length}`,
    );
  }
  const states = chosen(options.states, all.length, "states");
  const tokens = chosen(options.tokens, length, "tokens");
  const last = to.blocks.length;
  const [cleanScore = NaN] = await scoresFrom(from, last, [null], direction, signal);
  const [corruptedScore = NaN] = await scoresFrom(to, last, [null], direction, signal);
  const scores: Float32Array[] = [];
  let done = 0;
  for (const state of states) {
    const ofState: number[] = [];
    for (let start = 0; start < tokens.length; start += batchSize) {
      const changes = tokens
        .slice(start, start + batchSize)
        .map((token) => ({ token, from: from.stream.states[state]! }));
      ofState.push(...(await scoresFrom(to, state, changes, direction, signal)));
      onProgress?.((done += changes.length), states.length * tokens.length);
    }
    scores.push(Float32Array.from(ofState));
  }
  const recovered = scores.map((row) =>
    row.map((one) => (one - corruptedScore) / (cleanScore - corruptedScore)),
  );
  return { clean: cleanScore, corrupted: corruptedScore, scores, recovered };
}

/** One token of a state, replaced by that of another state. */
interface Change {
  readonly token: number;
  readonly from: Float32Array;
}

/** Scores of the rest of the pass from a state, once for each change of it. */
async function scoresFrom(
  { stream, resume }: Resumable,
  state: number,
  changes: readonly (Change | null)[],
  direction: Tensor2D,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const { length, width, states } = stream;
  const values = new Float32Array(changes.length * length * width);
  for (const [i, change] of changes.entries()) {
    const at = i * length * width;
    values.set(states[state]!, at);
    if (change === null) continue;
    const { token, from } = change;
    values.set(from.subarray(token * width, (token + 1) * width), at + token * width);
  }
  const batch: Tensor3D = tensor3d(values, [changes.length, length, width]);
  return scoresOf(resume(state, batch, { signal }), direction).finally(() => {
    batch.dispose();
  });
}

function chosen(list: readonly number[] | undefined, count: number, what: string): readonly number[] {
  const wrong = list?.find((i) => !(Number.isInteger(i) && i >= 0 && i < count));
  if (wrong === undefined) return list ?? Array.from({ length: count }, (_, i) => i);
  throw new InputError(`causalTrace: ${what}: expected numbers from 0 to ${count - 1}, found ${wrong}`);
}
