/**
 * Karpathy's own files of captions, for MS-COCO, Flickr30k and Flickr8k.
 *
 *     ROOT/dataset_coco.json                 dataset_flickr30k.json, dataset_flickr8k.json:
 *         { images: [{ filename, filepath?, split, sentences: [{ raw }] }] }
 *     ROOT/val2014/*.jpg                     in the folder that `filepath` names; without it, in ROOT or ROOT/images
 *
 * Images and captions have the order of the file. The split "train" of MS-COCO includes "restval", as usual.
 *
 * Source: Karpathy and Fei-Fei, 2015 (arXiv 1412.2306); neuraltalk2, coco_preprocess.ipynb.
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { RetrievalDataset } from "../dataset.ts";
import { imagesIn } from "./dataset-images.ts";

const pattern = /^dataset_(coco|flickr30k|flickr8k)\.json$/;

export const karpathy: DatasetReader = {
  layout: "karpathy",
  looksLike: "dataset_coco.json, dataset_flickr30k.json or dataset_flickr8k.json, and the images",
  names: [],

  async recognizes(files, folder) {
    return (await annotationsIn(files, folder)) !== undefined;
  },

  async read(files, { name, folder, split = "test", annotations }): Promise<RetrievalDataset> {
    const file = annotations ?? (await annotationsIn(files, folder));
    if (file === undefined) {
      throw new InputError(
        `${folder}: expected dataset_coco.json, dataset_flickr30k.json or dataset_flickr8k.json, found none; give --annotations FILE`,
      );
    }
    const paths: string[] = [];
    const captions: string[][] = [];
    const splits = new Set<string>();
    for (const image of JsonValue.parse(await files.bytes(file), file)
      .at("images")
      .items()) {
      const given = image.at("split").string();
      const own = given === "restval" ? "train" : given;
      splits.add(own);
      if (own !== split) continue;
      paths.push(joinPath(image.at("filepath").or("").string(), image.at("filename").string()));
      const sentences = image.at("sentences").items();
      captions.push(Array.from(sentences, (sentence) => sentence.at("raw").string()));
    }
    if (!splits.has(split)) {
      throw new InputError(`${file}: expected --split ${[...splits].sort().join(", ")}, found "${split}"`);
    }
    return {
      kind: "retrieval",
      name,
      layout: "karpathy",
      split,
      language: null,
      images: await imagesIn(files, await rootOf(files, folder, paths), paths),
      convertToRgbFirst: true,
      sources: [file],
      captions,
    };
  },
};

async function annotationsIn(files: DatasetFiles, folder: string): Promise<string | undefined> {
  const found = (await files.list(folder)).find(({ name }) => pattern.test(name));
  return found && joinPath(folder, found.name);
}

/** The folder that the paths start from: the dataset's own, or its folder `images`. */
async function rootOf(files: DatasetFiles, folder: string, paths: readonly string[]): Promise<string> {
  const below = joinPath(folder, "images");
  const first = paths[0];
  const isBelow = first !== undefined && (await files.kindOf(joinPath(below, first))) === "file";
  return isBelow ? below : folder;
}
