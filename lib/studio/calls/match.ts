/** Zero-shot classification of several images. */
import { zeroShotClassifier } from "../../tasks/zero-shot.ts";
import type { Answer } from "../answer.ts";
import type { MatchResult, NamedBytes } from "../results.ts";

/**
 * Embeds an image for `match`. It is a question of its own, so that images cross to a server one by one, and once.
 *
 * @throws InputError for a file that is not an image
 */
export const embed: Answer<NamedBytes, null> = async (passes, image, { signal }) => {
  await passes.embed(image, { signal });
  return null;
};

export interface MatchParams {
  /** Keys of images that `embed` or `image` has read. */
  readonly images: readonly string[];
  readonly labels: readonly string[];
  readonly templates: readonly string[];
}

/** The cosines of images and classes. @throws InputError as `zeroShotClassifier`, and for an image that is not known */
export const match: Answer<MatchParams, MatchResult> = async (passes, { images, labels, templates }) => {
  const start = performance.now();
  const embeddings = images.map((key) => passes.embedding(key));
  const classifier = await zeroShotClassifier(passes.model, labels, templates);
  try {
    const classes = await classifier.weight.data(); // [embedDim, labels]
    const cosines = embeddings.map((embedding) =>
      labels.map((_, label) =>
        embedding.reduce((sum, x, i) => sum + x * classes[i * labels.length + label]!, 0),
      ),
    );
    return { cosines, milliseconds: performance.now() - start };
  } finally {
    classifier.dispose();
  }
};
