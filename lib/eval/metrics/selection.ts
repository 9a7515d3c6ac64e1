/**
 * Image–caption selection: for each instance with I images and C captions, whether the i-th image and the i-th caption
 * are most similar to each other.
 *
 * text_acc is the share of instances in which the caption most similar to each image is the right one, image_acc that
 * in which the image most similar to each caption is right, acc that of both. Only the first min(I, C) images and
 * captions have a right answer. Of equal similarities the first counts.
 * Source: CLIP_benchmark, metrics/image_caption_selection.py, evaluate (SugarCrepe, Winoground).
 */
import { InputError } from "../../errors/input-error.ts";
import type { Rows } from "../../features/features.ts";
import { best } from "../../tasks/confusions.ts";

/** One instance. */
export interface SelectionPart {
  /** Rows of the image embeddings. */
  readonly images: readonly number[];
  /** Rows of the caption embeddings. */
  readonly captions: readonly number[];
}

/** Whether an instance is answered correctly. */
export interface SelectionOutcome {
  readonly imagesRight: boolean;
  readonly captionsRight: boolean;
  /** Whether an answer depends on the order of equal similarities. */
  readonly isTied: boolean;
}

/** Figures under CLIP_benchmark's names, and the outcome of each instance. */
export interface Selection {
  /** `image_acc`, `text_acc`, `acc`: float32 values, as in CLIP_benchmark. */
  readonly metrics: Readonly<Record<"image_acc" | "text_acc" | "acc", number>>;
  readonly outcomes: readonly SelectionOutcome[];
  readonly ties: number;
}

/**
 * @param images [images, embedDim]
 * @param captions [captions, embedDim]
 * @throws InputError without instances, for an instance without images or captions, and for embeddings that are not
 *   finite
 */
export function selection(images: Rows, captions: Rows, instances: readonly SelectionPart[]): Selection {
  if (instances.length === 0) throw new InputError("selection: expected at least one instance, got none");
  if (images.width !== captions.width) {
    throw new InputError(
      `selection: expected embeddings of the same width, found ${images.width} and ${captions.width}`,
    );
  }
  const outcomes = instances.map((instance, i) => outcome(images, captions, instance, i));
  const share = (isRight: (one: SelectionOutcome) => boolean): number =>
    Math.fround(outcomes.filter(isRight).length / outcomes.length);
  return {
    metrics: {
      image_acc: share(({ imagesRight }) => imagesRight),
      text_acc: share(({ captionsRight }) => captionsRight),
      acc: share(({ imagesRight, captionsRight }) => imagesRight && captionsRight),
    },
    outcomes,
    ties: outcomes.filter(({ isTied }) => isTied).length,
  };
}

function outcome(images: Rows, captions: Rows, instance: SelectionPart, index: number): SelectionOutcome {
  if (instance.images.length === 0 || instance.captions.length === 0) {
    throw new InputError(
      `selection: instance ${index} has no ${instance.images.length === 0 ? "images" : "captions"}`,
    );
  }
  const imageUnits = instance.images.map((row) => unit(images, row, index));
  const captionUnits = instance.captions.map((row) => unit(captions, row, index));
  const byImage = imageUnits.map((image) => captionUnits.map((caption) => dot(image, caption)));
  const byCaption = captionUnits.map((_, c) => byImage.map((row) => row[c]!));
  const answers = Math.min(imageUnits.length, captionUnits.length);
  const isRight = (scores: number[][]): boolean =>
    scores.slice(0, answers).every((row, i) => best(row) === i);
  return {
    captionsRight: isRight(byImage),
    imagesRight: isRight(byCaption),
    isTied: isTied(byImage.slice(0, answers)) || isTied(byCaption.slice(0, answers)),
  };
}

/** Whether the right answer of any row shares the highest score. */
function isTied(scores: readonly number[][]): boolean {
  return scores.some((row, i) => {
    const most = row[best(row)]!;
    return row[i] === most && row.filter((score) => score === most).length > 1;
  });
}

/** A row divided by its norm, in float32. */
function unit({ values, rows, width }: Rows, row: number, index: number): Float32Array {
  if (!Number.isInteger(row) || row < 0 || row >= rows) {
    throw new InputError(`selection: instance ${index} refers to row ${row}, expected 0 to ${rows - 1}`);
  }
  const vector = values.slice(row * width, (row + 1) * width);
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(norm)) {
    throw new InputError(
      `selection: the embedding in row ${row} of instance ${index} is not finite; ` +
        "the model's weights are damaged (download them again) or overflow float32",
    );
  }
  return vector.map((value) => value / Math.max(norm, 1e-12));
}

/** In float32, so that similarities that differ by less than its rounding are equal. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Math.fround(sum);
}
