/**
 * ImageNetV2. The number of a folder is the class of its images.
 *
 *     ROOT/ImageNetV2-matched-frequency/0 … 999/*.jpeg
 *
 * ROOT may hold the folder under the name that its archive gives it, or be the folder itself. CLIP_benchmark does not
 * convert these images to RGB before it resizes them.
 *
 * Source: clip_benchmark/datasets/imagenetv2.py, ImageNetV2Dataset.
 */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { ClassificationDataset } from "../dataset.ts";

const inside = /^imagenetv2-[\w.-]+$/i;
const number = /^(?:0|[1-9]\d{0,2})$/;

export const imageNetV2: DatasetReader = {
  layout: "imagenetv2",
  looksLike: "ImageNetV2-matched-frequency with folders 0 to 999",
  names: ["imagenetv2"],

  async recognizes(files, folder) {
    return (await rootOf(files, folder)) !== null;
  },

  async read(files, { name, folder, split = "test", language }): Promise<ClassificationDataset> {
    const root = await rootOf(files, folder);
    if (split !== "test")
      throw new InputError(`${folder}: expected --split test, the only one, found "${split}"`);
    if (root === null)
      throw new InputError(`${folder}: expected ImageNetV2-matched-frequency with folders 0 to 999`);
    const images: string[] = [];
    const labels: number[] = [];
    const classes = (await files.list(root)).filter((entry) => entry.isFolder && number.test(entry.name));
    for (const label of classes.map((entry) => Number(entry.name)).sort((a, b) => a - b)) {
      for (const entry of await files.list(joinPath(root, `${label}`))) {
        if (entry.isFolder || !entry.name.endsWith(".jpeg")) continue;
        images.push(joinPath(root, `${label}`, entry.name));
        labels.push(label);
      }
    }
    if (images.length === 0) throw new InputError(`${root}: expected images named *.jpeg, found none`);
    return {
      kind: "classification",
      name,
      layout: "imagenetv2",
      split,
      language: language ?? null,
      images,
      convertToRgbFirst: false,
      sources: [],
      labels,
      classNames: null,
      templates: null,
      classFolders: null,
    };
  },
};

/** The folder of the numbered folders. */
async function rootOf(files: DatasetFiles, folder: string): Promise<string | null> {
  const folders = (await files.list(folder)).filter(({ isFolder }) => isFolder);
  const named = folders.find(({ name }) => inside.test(name));
  if (named !== undefined) return joinPath(folder, named.name);
  const isItself = /^imagenetv2/i.test(folder.replace(/\/+$/, "").split("/").at(-1)!);
  return isItself && folders.some(({ name }) => number.test(name)) ? folder : null;
}
