/** Finds images with their classes: a folder for each class, as in torchvision's ImageFolder, or WebDataset shards. */
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { isLabel } from "../../features/features.ts";
import { findFiles } from "./image-files.ts";
import { labelled, type LabelledImages } from "../../features/labelled-images.ts";
import { nameOf, type FilePart } from "../../tasks/image-source.ts";
import { SourceList } from "./source-list.ts";
import { TextColumn } from "./text-column.ts";
import { readShard } from "./webdataset.ts";

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
  const images = new SourceList();
  const below = new TextColumn<string | null>();
  const folders = new TextColumn<string | null>();
  const samples = new Samples();
  for await (const { path, root } of findFiles(given, onError)) {
    if (extname(path).toLowerCase() === ".tar") {
      await addSamples(samples, path, onError);
      continue;
    }
    images.add(path);
    const [part = ""] = root === null ? [] : relative(root, dirname(path)).split(sep);
    below.add(part === "" ? null : part);
    folders.add(root !== null && part === "" ? basename(resolve(root)) : null);
  }
  if (samples.images.length > 0) {
    const shards = labelledSamples(samples, onError);
    if (images.length === 0) return shards;
    throw new InputError(
      `expected images or shards, found both (${nameOf(samples.images.at(0)!)}); embed them one after the other`,
    );
  }
  if (images.length > 0 && below.isComplete()) return labelled(images, below);
  if (folders.isComplete() && folders.distinct.length > 1) return labelled(images, folders);
  const stray = below.distinct.length > 1 ? nameOf(images.at(indexOf(null, below))!) : undefined;
  return { images, labels: null, classNames: null, ...(stray !== undefined && { stray }) };
}

async function addSamples(
  samples: Samples,
  shard: string,
  onError: (error: InputError) => void,
): Promise<void> {
  try {
    for await (const { image, cls, txt } of readShard(shard, onError)) {
      samples.images.add(image);
      samples.cls.add(cls);
      samples.txt.add(txt);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    onError(error);
  }
}

/** The samples of shards, in columns. */
class Samples {
  readonly images = new SourceList<FilePart>();
  readonly cls = new TextColumn<string | null>();
  readonly txt = new TextColumn<string | null>();
}

/**
 * If some samples have a class, those without are skipped. If every class is a number, the numbers are the labels: any
 * ids, not necessarily 0, 1, 2, … Otherwise the classes are names.
 *
 * @throws InputError if every class is a number, and one is negative, not whole, or beyond 2^53 − 1
 */
function labelledSamples(samples: Samples, onError: (error: InputError) => void): LabelledImages {
  const ending = hasTexts(samples.cls) ? "cls" : "txt";
  const column = samples[ending];
  if (!hasTexts(column)) return { images: samples.images, labels: null, classNames: null };
  const images = new SourceList<FilePart>();
  const classes = new TextColumn<string>();
  let i = 0;
  for (const name of column) {
    const image = samples.images.at(i++)!;
    if (name) {
      images.add(image);
      classes.add(name);
    } else {
      onError(
        new InputError(`${image.name}: a sample without a class (.${ending}), which other samples have`),
      );
    }
  }
  if (!classes.distinct.every((name) => number.test(name))) return labelled(images, classes);
  const bad = classes.distinct.find((name) => !isLabel(Number(name)) || !/^\d+$/.test(name));
  if (bad === undefined) return { images, labels: Array.from(classes, Number), classNames: null };
  throw new InputError(
    `${images.at(indexOf(bad, classes))!.name}: the label in .${ending} is ${bad.slice(0, 40)}, expected a whole number ` +
      "from 0 to 2^53 − 1; correct it, or use class names",
  );
}

/** Also of what is not a label: signs, decimals, exponents. */
const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function hasTexts(column: TextColumn<string | null>): boolean {
  return column.distinct.some((text) => text !== null);
}

/** Of the first cell with a text. */
function indexOf<T>(text: T, column: Iterable<T>): number {
  let index = 0;
  for (const cell of column) {
    if (cell === text) return index;
    index += 1;
  }
  return -1;
}
