/** Images whose classes have names, which zero-shot classifiers need. */
import { InputError } from "../../errors/input-error.ts";
import type { LabelledImages } from "../../features/labelled-images.ts";

/** Images whose classes have names. */
export interface NamedImages extends LabelledImages {
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
}

/** @throws InputError unless images have two or more classes with names */
export function requireNames(images: LabelledImages, where: string): NamedImages {
  const { labels, classNames, stray } = images;
  if (labels === null) {
    const reason = stray === undefined ? "they have no classes" : `${stray} is not in a class folder`;
    throw new InputError(`${where}: ${reason}; put the images of each class into a folder named after it`);
  }
  if (classNames === null) {
    throw new InputError(
      `${where}: the classes are numbers, expected names, which zero-shot classifiers read`,
    );
  }
  return { ...images, labels, classNames };
}

/**
 * Numbers the classes of images as others are numbered.
 *
 * @param where the other classes come from, for messages
 * @throws InputError for a class that is not among them
 */
export function alignClasses(images: NamedImages, classNames: readonly string[], where: string): NamedImages {
  const numbers = images.classNames.map((name) => classNames.indexOf(name));
  const unknown = images.labels.find((label) => numbers[label] === -1);
  if (unknown !== undefined) {
    throw new InputError(
      `the validation images: the class ${JSON.stringify(images.classNames[unknown])} is not among the classes of ${where}, which are these`,
      classNames,
    );
  }
  return { ...images, labels: images.labels.map((label) => numbers[label]!), classNames };
}
