/** Training and test images. */
import { InputError } from "../errors/input-error.ts";
import type { LabelledImages } from "../features/labelled-images.ts";
import { TorchRandom } from "../tensor/torch-random.ts";

export type Split = "train" | "test";

/**
 * Holds a random part of each class out for testing.
 *
 * @param fraction of each class; at least one image and at most all but one are held out
 * @throws InputError for images without labels, or if a class has a single image
 */
export function splitImages(
  { images, labels, classNames }: LabelledImages,
  fraction: number,
  seed = 0,
): Record<Split, LabelledImages> {
  if (labels === null) {
    throw new InputError("the images have no classes; put the images of each class into a folder");
  }
  const left = new Map<number, number>();
  for (const [label, size] of imagesPerClass(labels)) {
    if (size < 2) {
      throw new InputError(
        `the class ${JSON.stringify(classNames?.[label] ?? label)} has a single image, expected two or more to hold a part out`,
      );
    }
    left.set(label, Math.min(Math.max(Math.round(size * fraction), 1), size - 1));
  }
  const isTest = new Array<boolean>(images.length).fill(false);
  for (const i of new TorchRandom(seed).permutation(images.length)) {
    const wanted = left.get(labels[i]!)!;
    isTest[i] = wanted > 0;
    left.set(labels[i]!, wanted - 1);
  }
  const part = (test: boolean): LabelledImages => {
    const chosen = [...isTest.keys()].filter((i) => isTest[i] === test);
    return { images: chosen.map((i) => images.at(i)!), labels: chosen.map((i) => labels[i]!), classNames };
  };
  return { train: part(false), test: part(true) };
}

/** How many images each class has. */
export function imagesPerClass(labels: readonly number[]): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  return sizes;
}
