/** The logits of a linear classifier, in blocks of rows: all of them together can be larger than the features. */
import { add, dispose, matMul, max, softmax, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import { normalizedValues, type Rows } from "../features/features.ts";
import { blockSize, rowsPerBlock } from "../features/row-blocks.ts";
import { ClassificationCounts } from "../tasks/metrics.ts";
import { LoadedCache, type FeatureCache } from "./feature-cache.ts";

/** logits = W x + b, and what a cache adds */
export interface Linear {
  /** [classes, width] in row-major order */
  readonly weight: Float32Array | Float64Array;
  /** [classes] */
  readonly bias: Float32Array | Float64Array;
  readonly cache?: FeatureCache | undefined;
}

/** A linear classifier with its tensors on the current backend. */
export class LoadedLinear {
  readonly #weight: Tensor2D;
  readonly #bias: Tensor1D;
  readonly #cache: LoadedCache | null;

  constructor({ weight, bias, cache }: Linear) {
    this.#weight = tensor2d(Float32Array.from(weight), [bias.length, weight.length / bias.length]);
    this.#bias = tensor1d(Float32Array.from(bias));
    this.#cache = cache === undefined ? null : new LoadedCache(cache, bias.length);
  }

  /** @param x [rows, width] @returns [rows, classes] */
  logits(x: Tensor2D): Tensor2D {
    return tidy(() => {
      const linear = add<Tensor2D>(matMul(x, this.#weight, false, true), this.#bias);
      return this.#cache === null ? linear : add(linear, this.#cache.logits(x));
    });
  }

  dispose(): void {
    this.#weight.dispose();
    this.#bias.dispose();
    this.#cache?.dispose();
  }
}

/** The logits of consecutive rows. */
export interface LogitBlock {
  /** The first row, and the row after the last one. */
  readonly start: number;
  readonly end: number;
  /** [end − start, classes] in row-major order */
  readonly logits: Float32Array;
  /** The probability of the class with the largest logit [end − start]. */
  readonly confidences: Float32Array;
}

export interface LogitOptions {
  /** Values in a block. */
  readonly size?: number;
  /** Divide each row by its L2 norm first. */
  readonly normalize?: boolean;
}

/** W x + b for each row, on the current backend. */
export function* logitBlocks(
  linear: Linear,
  { values, rows, width }: Rows,
  { size = blockSize, normalize = false }: LogitOptions = {},
): Generator<LogitBlock, void, undefined> {
  const columns = Math.max(linear.bias.length, linear.cache?.labels.length ?? 0);
  const rowsAtOnce = rowsPerBlock(width, columns, size);
  const loaded = new LoadedLinear(linear);
  try {
    for (let start = 0; start < rows; start += rowsAtOnce) {
      const end = Math.min(start + rowsAtOnce, rows);
      const some = { values: values.subarray(start * width, end * width), rows: end - start, width };
      const inputs = normalize ? normalizedValues(some) : some.values;
      const block = tidy(() => loaded.logits(tensor2d(inputs, [some.rows, width])));
      // Read outside of tidy, which would look for tensors among the numbers of the result, one by one.
      const logits = block.dataSync<"float32">();
      const highest = tidy(() => max(softmax(block), 1));
      const confidences = highest.dataSync<"float32">();
      dispose([block, highest]);
      yield { start, end, logits, confidences };
    }
  } finally {
    loaded.dispose();
  }
}

/** The fraction of rows whose largest logit is that of their label. */
export function accuracyOf(
  linear: Linear,
  rows: Rows & { readonly labels: readonly number[] },
  options?: LogitOptions,
): number {
  const counts = new ClassificationCounts(linear.bias.length);
  for (const { start, end, logits } of logitBlocks(linear, rows, options)) {
    counts.add(logits, rows.labels.slice(start, end));
  }
  return counts.metrics().acc1;
}

/** The softmax of each row of logits, in place. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  for (let start = 0; start < logits.length; start += classes) {
    let most = -Infinity;
    for (let i = start; i < start + classes; i++) most = Math.max(most, logits[i]!);
    let total = 0;
    for (let i = start; i < start + classes; i++) total += Math.exp(logits[i]! - most);
    for (let i = start; i < start + classes; i++) logits[i] = Math.exp(logits[i]! - most) / total;
  }
  return logits;
}
