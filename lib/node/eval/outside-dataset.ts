/** Output folders inside a dataset. */
import { basename, dirname, isAbsolute, relative, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { Dataset } from "../../eval/dataset.ts";
import { fileOf } from "../../tasks/image-source.ts";

/**
 * Refuses an output folder among the folders of the classes: the next run would read it as a class.
 *
 * @param folder undefined if nothing is written
 * @throws InputError
 */
export function assertOutsideDataset(folder: string | undefined, dataset: Dataset): void {
  const root = classesRoot(dataset);
  if (folder === undefined || root === null) return;
  const inside = relative(resolve(root), resolve(folder));
  if (inside.split(/[/\\]/)[0] === ".." || isAbsolute(inside)) return;
  throw new InputError(
    `${folder}: expected a folder outside the dataset ${root}, where each folder is a class; write to another one`,
  );
}

/** The folder that holds a folder for each class; null for a dataset of another layout. */
function classesRoot(dataset: Dataset): string | null {
  const [image] = dataset.images;
  if (dataset.layout !== "imagefolder" || !("classFolders" in dataset) || image === undefined) return null;
  const classFolders = new Set(dataset.classFolders);
  let folder = dirname(fileOf(image));
  while (!classFolders.has(basename(folder))) {
    if (dirname(folder) === folder) return null;
    folder = dirname(folder);
  }
  return dirname(folder);
}
