/** Pictures with their classes: a folder for each class, as torchvision's ImageFolder reads it, or a list. */
import { stat } from "node:fs/promises";
import { basename, dirname, relative, resolve, sep } from "node:path";
import { InputError } from "../tensor/errors.ts";
import { findImages } from "./image-files.ts";

export interface LabelledImages {
  readonly paths: readonly string[];
  /** The class of each path, from 0; null where the folders tell none. */
  readonly labels: readonly number[] | null;
  /** By name. */
  readonly classNames: readonly string[] | null;
}

/**
 * Finds images as `findImages`. Where every one lies in a folder below a given folder, that folder is its class; where
 * several folders are given and hold the images themselves, they are the classes. Else there are no labels.
 *
 * @param onError receives what cannot be found or read; the rest goes on
 */
export async function findLabelledImages(
  given: readonly string[],
  onError: (error: InputError) => void,
): Promise<LabelledImages> {
  const paths: string[] = [];
  const below: (string | null)[] = [];
  const folders: (string | null)[] = [];
  for (const path of given) {
    const isFolder = await stat(path).then(
      (kind) => kind.isDirectory(),
      () => false,
    );
    for (const image of await findImages([path], onError)) {
      paths.push(image);
      const parts = isFolder ? relative(path, dirname(image)).split(sep) : [""];
      below.push(parts[0] === "" ? null : parts[0]!);
      folders.push(isFolder && parts[0] === "" ? basename(resolve(path)) : null);
    }
  }
  if (paths.length > 0 && isComplete(below)) return labelled(paths, below);
  if (isComplete(folders) && new Set(folders).size > 1) return labelled(paths, folders);
  return { paths, labels: null, classNames: null };
}

function isComplete(names: readonly (string | null)[]): names is readonly string[] {
  return !names.includes(null);
}

/**
 * Images of known classes.
 *
 * @param classes the name of each path's class
 */
export function labelled(paths: readonly string[], classes: readonly string[]): LabelledImages {
  const classNames = [...new Set(classes)].sort((a, b) => (a < b ? -1 : 1));
  const number = new Map(classNames.map((name, i) => [name, i]));
  return { paths, labels: classes.map((name) => number.get(name)!), classNames };
}
