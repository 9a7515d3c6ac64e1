/**
 * The embedding of a class: the mean direction of its prompts.
 *
 * w_c = m / ‖m‖ with m = mean_p(t_p / max(‖t_p‖, 1e-12)) over the embeddings t_p of the prompts of class c.
 * Paper: Radford et al., 2021 (arXiv 2103.00020), section 3.1.4. Source: open_clip/zero_shot_classifier.py,
 * build_zero_shot_classifier; CLIP_benchmark, metrics/zeroshot_classification.py, zero_shot_classifier.
 */
import { InputError } from "../errors/input-error.ts";

/** Embeds texts: [texts, embedDim] in row-major order, of any norm. */
export type EmbedTexts = (texts: readonly string[]) => Promise<Float32Array>;

/** Options of `classEmbeddings`. */
export interface ClassEmbeddingsOptions {
  /** Prompts per call of `embed`, unless one class has more. Bounds the memory. Default: 64. */
  readonly promptsAtOnce?: number;
  /** Called after each batch with the number of classes done. */
  readonly onProgress?: (done: number) => void;
}

/** Embeddings of classes, of norm 1. */
export interface ClassEmbeddings {
  /** [rows, width] in row-major order */
  readonly values: Float32Array;
  /** The number of classes. */
  readonly rows: number;
  readonly width: number;
}

/**
 * Embeds classes. Prompts that occur several times among the classes of a batch are embedded once.
 *
 * @param prompts the prompts of each class; classes may have equal prompts
 * @param embed embeds each distinct prompt of a batch
 * @throws InputError without classes, for a class without prompts, and if its mean has no direction
 */
export async function classEmbeddings(
  prompts: readonly (readonly string[])[],
  embed: EmbedTexts,
  { promptsAtOnce = 64, onProgress }: ClassEmbeddingsOptions = {},
): Promise<ClassEmbeddings> {
  if (prompts.length === 0) throw new InputError("expected the prompts of at least one class, got none");
  let width = 0;
  let values = new Float32Array();
  for (const [start, end] of batches(prompts, promptsAtOnce)) {
    const texts = [...new Set(prompts.slice(start, end).flat())];
    const rowOf = new Map(texts.map((text, row) => [text, row]));
    const embedded = await embed(texts);
    if (start === 0) {
      width = embedded.length / texts.length;
      values = new Float32Array(prompts.length * width);
    }
    for (let c = start; c < end; c++) {
      const rows = prompts[c]!.map((prompt) => rowOf.get(prompt)!);
      values.set(direction(embedded, rows, width, c), c * width);
    }
    onProgress?.(end);
  }
  return { values, rows: prompts.length, width };
}

/** Ranges of classes with at most so many prompts, or one class. */
function* batches(
  prompts: readonly (readonly string[])[],
  promptsAtOnce: number,
): Generator<[start: number, end: number]> {
  let start = 0;
  let count = 0;
  for (const [c, own] of prompts.entries()) {
    if (own.length === 0) throw new InputError(`class ${c}: expected at least one prompt, got none`);
    if (c > start && count + own.length > promptsAtOnce) {
      yield [start, c];
      [start, count] = [c, 0];
    }
    count += own.length;
  }
  yield [start, prompts.length];
}

/** The normalised mean of the normalised rows. */
function direction(embedded: Float32Array, rows: readonly number[], width: number, c: number): Float64Array {
  const mean = new Float64Array(width);
  for (const row of rows) {
    const vector = embedded.subarray(row * width, (row + 1) * width);
    const scale = rows.length * Math.max(norm(vector), 1e-12);
    for (let i = 0; i < width; i++) mean[i]! += vector[i]! / scale;
  }
  const length = norm(mean);
  if (length > 0 && Number.isFinite(length)) return mean.map((value) => value / length);
  throw new InputError(
    Number.isNaN(length) || length === Infinity
      ? `class ${c}: the embeddings of its prompts are not finite; the model's weights are damaged (download them again) or overflow float32`
      : `class ${c}: the embeddings of its prompts cancel out, so the class has no direction; use other prompts`,
  );
}

function norm(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}
