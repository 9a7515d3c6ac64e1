/** Finds images with their classes: a folder for each class, as in torchvision's ImageFolder, or WebDataset shards. */
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors/input-error.ts";
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

/** If some samples have a class, those without are skipped. Whole numbers are labels, anything else is a name. */
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
  if (!classes.every((name) => /^\d{1,9}$/.test(name))) return labelled(images, classes);
  return { images, labels: classes.map(Number), classNames: null };
}

function isComplete(names: readonly (string | null)[]): names is readonly string[] {
  return !names.includes(null);
}
