/**
 * A folder for each class.
 *
 *     ROOT/[SPLIT/]CLASS/…/IMAGE
 *
 * Classes are numbered in the order of their folders' names by code points. Below a class's folder, images are sorted
 * by the path of their folder, then by name.
 *
 * Source: torchvision, datasets/folder.py, find_classes and make_dataset.
 */
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader, DatasetRequest } from "../dataset-reader.ts";
import type { ClassificationDataset } from "../dataset.ts";

/** torchvision's. An image of a format that clipscope does not read is reported when it is decoded. */
const extensions = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];

/** CLIP_benchmark's names for folders of images whose class names come with it. */
const named = [
  "imagenet1k",
  "imagenet1k-unverified",
  "imagenet_sketch",
  "imagenet-a",
  "imagenet-o",
  "imagenet-r",
  "fer2013",
];

export const imageFolder: DatasetReader = {
  layout: "imagefolder",
  looksLike: "a folder for each class, CLASS/IMAGE, or SPLIT/CLASS/IMAGE",
  names: named,

  async recognizes(files, folder) {
    const { root } = await splitOf(files, folder, undefined);
    for (const { name } of await foldersIn(files, root)) {
      if (await holdsImage(files, joinPath(root, name))) return true;
    }
    return false;
  },

  async read(files, request): Promise<ClassificationDataset> {
    const { root, split } = await splitOf(files, request.folder, request.split);
    const classFolders = (await foldersIn(files, root)).map(({ name }) => name);
    if (classFolders.length === 0)
      throw new InputError(`${root}: expected a folder for each class, found none`);
    const images: string[] = [];
    const labels: number[] = [];
    for (const [label, name] of classFolders.entries()) {
      const ofClass = await imagesOf(files, joinPath(root, name));
      if (ofClass.length === 0) {
        throw new InputError(
          `${joinPath(root, name)}: expected images of the class, found none (looked for ${extensions.join(", ")}); ` +
            "add images, move the folder away, or, if it is a dataset, give its path",
        );
      }
      for (const image of ofClass) {
        images.push(image);
        labels.push(label);
      }
    }
    return {
      kind: "classification",
      name: request.name,
      layout: "imagefolder",
      split,
      language: request.language ?? null,
      images,
      convertToRgbFirst: true,
      sources: [],
      labels,
      classNames: named.includes(request.name) ? null : { texts: classFolders, file: root },
      templates: null,
      classFolders,
    };
  },
};

/**
 * The folder of the classes. A folder with the split's name counts as one if it holds folders; otherwise it is a class.
 * "test" is called "val" where there is no test set, as in ImageNet.
 */
async function splitOf(
  files: DatasetFiles,
  folder: string,
  given: DatasetRequest["split"],
): Promise<{ readonly root: string; readonly split: string | null }> {
  const wanted = given ?? "test";
  for (const split of wanted === "test" ? ["test", "val"] : [wanted]) {
    const root = joinPath(folder, split);
    if ((await files.kindOf(root)) !== "folder") continue;
    if ((await foldersIn(files, root)).length > 0) return { root, split };
  }
  if (given === undefined) return { root: folder, split: null };
  throw new InputError(
    `${folder}: expected the folder of the split "${given}" with a folder for each class, found none`,
  );
}

async function foldersIn(files: DatasetFiles, folder: string): Promise<{ readonly name: string }[]> {
  return (await files.list(folder)).filter(({ isFolder }) => isFolder);
}

function isImage(name: string): boolean {
  const lower = name.toLowerCase();
  return extensions.some((extension) => lower.endsWith(extension));
}

async function holdsImage(files: DatasetFiles, folder: string): Promise<boolean> {
  const entries = await files.list(folder);
  return entries.some(({ name, isFolder }) => !isFolder && isImage(name));
}

/** All images below a folder. */
async function imagesOf(files: DatasetFiles, folder: string): Promise<string[]> {
  const folders = await foldersBelow(files, folder);
  const images: string[] = [];
  for (const below of folders.sort(compareCodePoints)) {
    for (const { name, isFolder } of await files.list(below)) {
      if (!isFolder && isImage(name)) images.push(joinPath(below, name));
    }
  }
  return images;
}

/** The folder itself, and all below it. */
async function foldersBelow(files: DatasetFiles, folder: string): Promise<string[]> {
  const all = [folder];
  for (const { name } of await foldersIn(files, folder)) {
    for (const below of await foldersBelow(files, joinPath(folder, name))) all.push(below);
  }
  return all;
}
