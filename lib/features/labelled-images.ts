/** Images with classes. */
import type { ImageList } from "../tasks/image-list.ts";
import { fileOf, nameOf, type ImageSource } from "../tasks/image-source.ts";
import { compareCodePoints } from "./code-points.ts";
import { sha256OfJson } from "./digest.ts";
import type { FileSystem } from "./host.ts";

/** Images with their classes, if these are known. */
export interface LabelledImages {
  readonly images: ImageList<ImageSource>;
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
export function labelled(images: ImageList<ImageSource>, classes: Iterable<string>): LabelledImages {
  // Numbered in the order of their first images, until all are known.
  const numbers = new Map<string, number>();
  const found: number[] = [];
  for (const name of classes) {
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    found.push(number);
  }
  const classNames = [...numbers.keys()].sort(compareCodePoints);
  const labels: number[] = [];
  for (const [label, name] of classNames.entries()) labels[numbers.get(name)!] = label;
  return { images, labels: found.map((number) => labels[number]!), classNames };
}

/** Images per digest of which `digestImages` makes one: the names of all of them can be too much for a text. */
const imagesPerDigest = 4096;

/** A digest of the images' names, classes and versions of their files, to tell whether any of them changed. */
export async function digestImages(
  files: FileSystem,
  { images, labels, classNames }: LabelledImages,
): Promise<string> {
  const digests: string[] = [];
  let states: string[] = [];
  let [file, version] = ["", ""];
  let i = 0;
  for (const image of images) {
    // The images of a shard are one file.
    if (fileOf(image) !== file) version = await files.version((file = fileOf(image)));
    states.push(`${nameOf(image)}\0${version}\0${labels?.[i++] ?? ""}`);
    if (states.length < imagesPerDigest) continue;
    digests.push(await sha256OfJson(states));
    states = [];
  }
  return sha256OfJson([digests, states, classNames]);
}
