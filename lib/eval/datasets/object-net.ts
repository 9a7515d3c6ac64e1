/**
 * ObjectNet: the images of the 113 classes that overlap with ImageNet's. Others take no part.
 *
 *     ROOT/objectnet-1.0/images/FOLDER/*.png
 *     ROOT/folder_to_objectnet_label.json    { FOLDER: label }; also in ROOT/objectnet-1.0/mappings
 *     ROOT/objectnet_to_imagenet_1k.json     { label: ImageNet's classes }, of the overlapping classes
 *
 * Classes are numbered in the order of the overlapping folders' names. Their names are the labels in lower case.
 *
 * Source: clip_benchmark/datasets/objectnet.py, get_metadata and ObjectNetDataset.
 */
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { JsonValue } from "../../json/json-value.ts";
import { nameOf } from "../../tasks/image-source.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { ClassificationDataset } from "../dataset.ts";
import { splitPath } from "./dataset-images.ts";
import { imageFolder } from "./image-folder.ts";

const labelsFile = "folder_to_objectnet_label.json";
const overlapFile = "objectnet_to_imagenet_1k.json";
const imagesFolder = "objectnet-1.0/images";

export const objectNet: DatasetReader = {
  layout: "objectnet",
  looksLike: `${imagesFolder}, ${labelsFile} and ${overlapFile}`,
  names: ["objectnet"],

  async recognizes(files, folder) {
    return (await files.kindOf(joinPath(folder, imagesFolder))) === "folder";
  },

  async read(files, { name, folder, split = "test", language }): Promise<ClassificationDataset> {
    if (split !== "test")
      throw new InputError(`${folder}: expected --split test, the only one, found "${split}"`);
    const [labelsPath, overlapPath] = await Promise.all(
      [labelsFile, overlapFile].map((file) => mappingOf(files, folder, file)),
    );
    const labelOf = await stringsOf(files, labelsPath!);
    const overlapping = new Set((await stringsOf(files, overlapPath!)).keys());
    const folders = [...labelOf.keys()]
      .filter((one) => overlapping.has(labelOf.get(one)!))
      .sort(compareCodePoints);
    if (folders.length !== overlapping.size) {
      throw new InputError(
        `${labelsPath}: expected a folder for each of the ${overlapping.size} classes of ${overlapFile}, found ${folders.length}`,
      );
    }
    const classOf = new Map(folders.map((one, i) => [one, i]));
    const all = await imageFolder.read(files, { name, folder: joinPath(folder, imagesFolder) });
    const labelled = all.images.map((image) => ({
      image,
      label: classOf.get(splitPath(splitPath(nameOf(image))[0])[1]),
    }));
    const chosen = labelled.filter((one) => one.label !== undefined) as { image: string; label: number }[];
    if (chosen.length === 0) {
      throw new InputError(
        `${joinPath(folder, imagesFolder)}: expected images of overlapping classes, found none`,
      );
    }
    return {
      kind: "classification",
      name,
      layout: "objectnet",
      split,
      language: language ?? null,
      images: chosen.map(({ image }) => image),
      convertToRgbFirst: true,
      sources: [labelsPath!, overlapPath!],
      labels: chosen.map(({ label }) => label),
      classNames: { texts: folders.map((one) => labelOf.get(one)!.toLowerCase()), file: labelsPath! },
      templates: null,
      classFolders: folders,
    };
  },
};

async function mappingOf(files: DatasetFiles, folder: string, name: string): Promise<string> {
  for (const place of [joinPath(folder, name), joinPath(folder, "objectnet-1.0/mappings", name)]) {
    if ((await files.kindOf(place)) === "file") return place;
  }
  throw new InputError(`${joinPath(folder, name)}: not found; copy it from objectnet-1.0/mappings`);
}

async function stringsOf(files: DatasetFiles, path: string): Promise<Map<string, string>> {
  const entries = JsonValue.parse(await files.text(path), path).entries();
  return new Map(entries.map(([key, value]) => [key, value.string()]));
}
