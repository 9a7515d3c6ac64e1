/** Finds images with their classes: a folder for each class, as in torchvision's ImageFolder, or WebDataset shards. */
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { isLabel } from "../../features/features.ts";
import { findFiles } from "./image-files.ts";
import { labelled, type LabelledImages } from "../../features/labelled-images.ts";
import { nameOf, type ImageSource } from "../../tasks/image-source.ts";
import { readShard, type ShardSample } from "./webdataset.ts";

/**
 * Finds images as `findImages` does, and those in WebDataset shards (`.tar`). If every image is in a subfolder of a
 * given folder, the subfolders are the classes; if several folders are given and directly contain the images, they are
 * the classes. In shards the samples have classes. Otherwise the images have no labels.
 *
 * @param onError receives an error for each path that cannot be found or read; the others continue
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
      for (const sample of await samplesOf(path, onError)) samples.push(sample);
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

/**
 * If some samples have a class, those without are skipped. If every class is a number, the numbers are the labels: any
 * ids, not necessarily 0, 1, 2, … Otherwise the classes are names.
 *
 * @throws InputError if every class is a number, and one is negative, not whole, or beyond 2^53 − 1
 */
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
      new InputError(`${sample.image.name}: a sample without a class (.${ending}), which other samples have`),
    );
    return false;
  });
  const images = complete.map(({ image }) => image);
  const classes = complete.map((sample) => sample[ending]!);
  if (!classes.every((name) => number.test(name))) return labelled(images, classes);
  const labels = classes.map(Number);
  const bad = labels.findIndex((label, i) => !isLabel(label) || !/^\d+$/.test(classes[i]!));
  if (bad === -1) return { images, labels, classNames: null };
  throw new InputError(
    `${complete[bad]!.image.name}: the label in .${ending} is ${classes[bad]!.slice(0, 40)}, expected a whole number ` +
      "from 0 to 2^53 − 1; correct it, or use class names",
  );
}

/** Also of what is not a label: signs, decimals, exponents. */
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function isComplete(names: readonly (string | null)[]): names is readonly string[] {
  return !names.includes(null);
}
