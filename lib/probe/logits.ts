/** The logits of a linear classifier, in blocks of rows: all of them together can be larger than the features. */
import { add, dispose, matMul, max, softmax, tensor1d, tensor2d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { normalizedValues, type Rows } from "../features/features.ts";
import { blockSize, rowsPerBlock } from "../features/row-blocks.ts";
import { ClassificationCounts } from "../tasks/metrics.ts";

/** logits = W x + b */
export interface Linear {
  /** [classes, width] in row-major order */
  readonly weight: Float32Array | Float64Array;
  /** [classes] */
  readonly bias: Float32Array | Float64Array;
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
  { weight, bias }: Linear,
  { values, rows, width }: Rows,
  { size = blockSize, normalize = false }: LogitOptions = {},
): Generator<LogitBlock, void, undefined> {
  const rowsAtOnce = rowsPerBlock(width, bias.length, size);
  const weights = tensor2d(Float32Array.from(weight), [bias.length, width]);
  const offsets = tensor1d(Float32Array.from(bias));
  try {
    for (let start = 0; start < rows; start += rowsAtOnce) {
      const end = Math.min(start + rowsAtOnce, rows);
      const some = { values: values.subarray(start * width, end * width), rows: end - start, width };
      const inputs = normalize ? normalizedValues(some) : some.values;
      const block = tidy(() =>
        add<Tensor2D>(matMul(tensor2d(inputs, [some.rows, width]), weights, false, true), offsets),
      );
      // Read outside of tidy, which would look for tensors among the numbers of the result, one by one.
      const logits = block.dataSync<"float32">();
      const highest = tidy(() => max(softmax(block), 1));
      const confidences = highest.dataSync<"float32">();
      dispose([block, highest]);
      yield { start, end, logits, confidences };
    }
  } finally {
    weights.dispose();
    offsets.dispose();
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
