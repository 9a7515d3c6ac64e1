/** Zero-shot classification of several images. */
import { InputError } from "../../errors/input-error.ts";
import { zeroShotClassifier } from "../../tasks/zero-shot.ts";
import type { Answer } from "../answer.ts";
import type { MatchResult, NamedBytes } from "../results.ts";

export interface MatchParams {
  readonly images: readonly NamedBytes[];
  readonly labels: readonly string[];
  readonly templates: readonly string[];
}

/** The cosines of images and classes. @throws InputError as `zeroShotClassifier` */
export const match: Answer<MatchParams, MatchResult> = async (
  passes,
  { images, labels, templates },
  context,
) => {
  const start = performance.now();
  const classifier = await zeroShotClassifier(passes.model, labels, templates);
  try {
    const classes = await classifier.weight.data(); // [embedDim, labels]
    const cosines: (number[] | null)[] = [];
    const failures: { key: string; message: string }[] = [];
    for (const image of images) {
      const pass = await passes.image(image, { signal: context.signal }).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        failures.push({ key: image.key, message: error.message });
        return null;
      });
      cosines.push(
        pass &&
          labels.map((_, label) =>
            pass.features.reduce((sum, x, i) => sum + x * classes[i * labels.length + label]!, 0),
          ),
      );
      context.progress(cosines.length, images.length);
    }
    return { cosines, failures, milliseconds: performance.now() - start };
  } finally {
    classifier.dispose();
  }
};
