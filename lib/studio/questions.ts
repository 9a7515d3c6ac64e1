/** What questions about an image have in common: its pixels, labels, and the direction that is scored. */
import { tensor4d, transpose, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import { labelDirection } from "../study/saliency/direction.ts";
import { zeroShotClassifier, type ZeroShotClassifier } from "../tasks/zero-shot.ts";
import { disposing } from "../tensor/disposing.ts";
import type { Passes } from "./passes.ts";

/** An image's pass, and the labels that it is asked about. */
export interface ImageQuestion {
  readonly trace: string;
  readonly labels: readonly string[];
  readonly templates: readonly string[];
}

/** The score of a label is its logit minus the mean of the others'; with a single label, its logit. */
export interface ScoredQuestion extends ImageQuestion {
  /** The index of the label. */
  readonly label: number;
}

/** @throws InputError as `zeroShotClassifier` */
export async function withClassifier<T>(
  { model }: Passes,
  { labels, templates }: ImageQuestion,
  use: (classifier: ZeroShotClassifier) => Promise<T>,
): Promise<T> {
  const classifier = await zeroShotClassifier(model, labels, templates);
  try {
    return await use(classifier);
  } finally {
    classifier.dispose();
  }
}

/** @param use is given exp(logit_scale), too */
export function withDirection<T>(
  passes: Passes,
  question: ScoredQuestion,
  use: (direction: Tensor2D, scale: number) => Promise<T>,
): Promise<T> {
  return withClassifier(passes, question, async (classifier) => {
    const { scale } = await passes.info("", "");
    const features = transpose(classifier.weight);
    const direction = labelDirection(features, question.label, question.labels.length > 1);
    features.dispose();
    return disposing(direction, (one) => use(one, scale));
  });
}

/** The preprocessed image of a kept pass. */
export async function withPixels<T>(
  passes: Passes,
  trace: string,
  use: (pixels: Tensor4D) => Promise<T>,
): Promise<T> {
  const [height, width] = passes.model.preprocess.size;
  const values = await passes.find(trace).trace.read("input.image");
  return disposing(tensor4d(values.slice(), [1, 3, height, width]), use);
}
