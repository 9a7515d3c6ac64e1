/** Images with classes. */
import { fileOf, nameOf, type ImageSource } from "../tasks/image-source.ts";
import { compareCodePoints } from "./code-points.ts";
import { sha256OfJson } from "./digest.ts";
import type { FileSystem } from "./host.ts";

/** Images with their classes, if these are known. */
export interface LabelledImages {
  readonly images: readonly ImageSource[];
  /** The label of each image: an index into the class names or, without names, any whole number; null without labels. */
  readonly labels: readonly number[] | null;
  /** The names of the classes; null if the labels are ids. */
  readonly classNames: readonly string[] | null;
  /** An image outside the folders of the classes, which is the reason why `labels` is null. */
  readonly stray?: string;
}

/**
 * Labels images by the names of their classes. Classes are numbered in the order of their names by code points, as in
 * Python.
 *
 * Source: torchvision, datasets/folder.py, find_classes.
 *
 * @param classes the name of each image's class
 */
export function labelled(images: readonly ImageSource[], classes: readonly string[]): LabelledImages {
  const classNames = [...new Set(classes)].sort(compareCodePoints);
  const number = new Map(classNames.map((name, i) => [name, i]));
  return { images, labels: classes.map((name) => number.get(name)!), classNames };
}

/** A digest of the images' names, classes and versions of their files, to tell whether any of them changed. */
export async function digestImages(
  files: FileSystem,
  { images, labels, classNames }: LabelledImages,
): Promise<string> {
  const versions = new Map<string, string>();
  const states: string[] = [];
  for (const image of images) {
    const file = fileOf(image);
    const version = versions.get(file) ?? (await files.version(file));
    versions.set(file, version);
    states.push(`${nameOf(image)}\0${version}`);
  }
  return sha256OfJson([states, labels, classNames]);
}
