/** Pictures with their classes: a folder for each class, as torchvision's ImageFolder reads it, a list, or shards. */
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { findFiles } from "./image-files.ts";
import { nameOf, type ImageSource } from "./image-source.ts";
import { readShard, type ShardSample } from "./webdataset.ts";

export interface LabelledImages {
  readonly images: readonly ImageSource[];
  /** The class of each image, from 0; null where there are none. */
  readonly labels: readonly number[] | null;
  /** By name; null where classes are known by number alone. */
  readonly classNames: readonly string[] | null;
  /** One that lies in no class's folder, where others do: it is why there are no labels. */
  readonly stray?: string;
}

/**
 * Finds images as `findImages`, and those in WebDataset shards (`.tar`). Where every one lies in a folder below a given
 * folder, that folder is its class; where several folders are given and hold the images themselves, they are the
 * classes. In shards the samples say their class. Else there are no labels.
 *
 * @param onError receives what cannot be found or read; the rest goes on
 */
export async function findLabelledImages(
  given: readonly string[],
  onError: (error: InputError) => void,
): Promise<LabelledImages> {
  const images: ImageSource[] = [];
  const below: (string | null)[] = [];
  const folders: (string | null)[] = [];
  const samples: ShardSample[] = [];
  for (const { path, root } of await findFiles(given, onError)) {
    if (extname(path).toLowerCase() === ".tar") {
      samples.push(...(await samplesOf(path, onError)));
      continue;
    }
    images.push(path);
    const [part = ""] = root === null ? [] : relative(root, dirname(path)).split(sep);
    below.push(part === "" ? null : part);
    folders.push(root !== null && part === "" ? basename(resolve(root)) : null);
  }
  if (samples.length > 0) {
    const shards = labelledSamples(samples, onError);
    if (images.length === 0) return shards;
    throw new InputError(
      `expected images or shards, found both (${samples[0]!.image.file}); embed them one after the other`,
    );
  }
  if (images.length > 0 && isComplete(below)) return labelled(images, below);
  if (isComplete(folders) && new Set(folders).size > 1) return labelled(images, folders);
  const outside = below.indexOf(null);
  const isStray = outside !== -1 && below.some((name) => name !== null);
  return { images, labels: null, classNames: null, ...(isStray && { stray: nameOf(images[outside]!) }) };
}

async function samplesOf(shard: string, onError: (error: InputError) => void): Promise<ShardSample[]> {
  try {
    return await readShard(shard, onError);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    onError(error);
    return [];
  }
}

/** Where some samples have a class, those without are left out. Whole numbers are labels, anything else is a name. */
function labelledSamples(
  samples: readonly ShardSample[],
  onError: (error: InputError) => void,
): LabelledImages {
  const ending = samples.some(({ cls }) => cls !== null) ? "cls" : "txt";
  const isLabelled = samples.some((sample) => sample[ending] !== null);
  if (!isLabelled) return { images: samples.map(({ image }) => image), labels: null, classNames: null };
  const complete = samples.filter((sample) => {
    if (sample[ending]) return true;
    onError(
      new InputError(`${sample.image.name}: a sample without a class (.${ending}), as others have one`),
    );
    return false;
  });
  const images = complete.map(({ image }) => image);
  const classes = complete.map((sample) => sample[ending]!);
  if (!classes.every((name) => /^\d{1,9}$/.test(name))) return labelled(images, classes);
  return { images, labels: classes.map(Number), classNames: null };
}

function isComplete(names: readonly (string | null)[]): names is readonly string[] {
  return !names.includes(null);
}

/**
 * Images of known classes.
 *
 * @param classes the name of each image's class
 */
export function labelled(images: readonly ImageSource[], classes: readonly string[]): LabelledImages {
  const classNames = [...new Set(classes)].sort((a, b) => (a < b ? -1 : 1));
  const number = new Map(classNames.map((name, i) => [name, i]));
  return { images, labels: classes.map((name) => number.get(name)!), classNames };
}
