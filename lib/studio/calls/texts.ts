/** Texts beside each other: their tokens, their similarity, and how tokens of two texts align. */
import { cosines } from "../../study/stream.ts";
import type { TraceSource } from "../../trace/trace-source.ts";
import type { Answer } from "../answer.ts";
import type { Token } from "../results.ts";
import { placesOf, shapeOf } from "../stream-places.ts";

/** A text's tokens and the trace of its pass. */
export interface ReadText {
  readonly trace: string;
  readonly tokens: readonly Token[];
}

export interface ReadTexts {
  readonly texts: readonly ReadText[];
  /** Of the embeddings: [texts · texts], row by row. */
  readonly cosines: Float32Array;
}

/** Runs the text tower on each text, unless its pass is kept. */
export const texts: Answer<{ readonly texts: readonly string[] }, ReadTexts> = async (
  passes,
  params,
  { signal, progress },
) => {
  const read: ReadText[] = [];
  const features: number[] = [];
  for (const text of params.texts) {
    const kept = await passes.text(text, { signal });
    read.push({ trace: kept.result.trace, tokens: kept.result.tokens });
    features.push(...kept.features);
    progress(read.length, params.texts.length);
  }
  const width = features.length / Math.max(read.length, 1);
  return { texts: read, cosines: cosines(Float32Array.from(features), read.length, width) };
};

export interface AlignParams {
  /** Traces of two texts. */
  readonly a: string;
  readonly b: string;
  /** 0 is what block 0 takes, i the output of block i − 1. */
  readonly state: number;
}

/** The cosine of each token of `a` with each token of `b`: [L(a) · L(b)], row by row. */
export const alignment: Answer<AlignParams, Float32Array> = async (passes, { a, b, state }) => {
  const [one, other] = [a, b].map((trace) => placesOf(passes, trace));
  const tap = one!.states[Math.min(state, one!.states.length - 1)]!;
  const [rows, width] = shapeOf(one!.source, tap);
  const [columns] = shapeOf(other!.source, tap);
  const both = new Float32Array((rows + columns) * width);
  both.set(await one!.source.read(tap));
  both.set(await other!.source.read(tap), rows * width);
  const all = cosines(both, rows + columns, width);
  const size = rows + columns;
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    return all[row * size + rows + (i % columns)]!;
  });
};

/** How a text's embedding is made of its tokens. */
export interface Pooling {
  /** The cosine of each token's state with the pooled vector: [states][L]. */
  readonly cosines: readonly (readonly number[])[];
  /**
   * The part of each token in the pooled vector: for a mean hᵢ · p / (n |p|²), which add up to 1; for one pooled token, 1
   * and 0. Null if the pooled vector is neither, as behind BERT's dense pooler.
   */
  readonly shares: readonly number[] | null;
  readonly kind: "mean" | "token" | "other";
}

/** @returns null for a text tower without a tap of the pooled vector (CLIP's own) */
export const pooling: Answer<{ readonly trace: string }, Pooling | null> = async (passes, { trace }) => {
  const { source, states } = placesOf(passes, trace);
  const pooled = await pooledOf(source);
  if (pooled === null) return null;
  const [length, width] = shapeOf(source, states[0]!);
  const rows: number[][] = [];
  let last = new Float32Array();
  for (const name of states) {
    last = (await source.read(name)).slice();
    rows.push(Array.from({ length }, (_, i) => cosine(last.subarray(i * width, (i + 1) * width), pooled)));
  }
  const tokens = Array.from({ length }, (_, i) => last.subarray(i * width, (i + 1) * width));
  return { cosines: rows, ...sharesOf(tokens, pooled) };
};

async function pooledOf(source: TraceSource): Promise<Float32Array | null> {
  const has = source.taps.some(({ name }) => name === "text.pooler");
  return has ? (await source.read("text.pooler")).slice() : null;
}

/** Rounding of float32 leaves this part of a vector's norm. */
const rounding = 1e-4;

function sharesOf(tokens: readonly Float32Array[], pooled: Float32Array): Pick<Pooling, "shares" | "kind"> {
  const norm = Math.hypot(...pooled);
  const isPooled = (vector: ArrayLike<number>): boolean =>
    Math.hypot(...pooled.map((value, i) => value - vector[i]!)) <= rounding * norm;
  const mean = pooled.map((_, i) => tokens.reduce((sum, token) => sum + token[i]!, 0) / tokens.length);
  if (isPooled(mean)) {
    const shares = tokens.map((token) => dot(token, pooled) / (tokens.length * norm * norm));
    return { shares, kind: "mean" };
  }
  const at = tokens.findIndex(isPooled);
  if (at === -1) return { shares: null, kind: "other" };
  return { shares: tokens.map((_, i) => (i === at ? 1 : 0)), kind: "token" };
}

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / (Math.hypot(...a) * Math.hypot(...b));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
