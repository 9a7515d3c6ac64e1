/**
 * Winoground: two images and two captions with the same words. The files are those of facebook/winoground on the Hugging
 * Face Hub, whose images.zip is unpacked.
 *
 *     ROOT/examples.jsonl      { image_0, image_1, caption_0, caption_1 } a line; also in ROOT/data
 *     ROOT/images/IMAGE.png
 *
 * CLIP_benchmark does not convert the images to RGB before it resizes them.
 *
 * Source: clip_benchmark/datasets/winoground.py, WinoGround.
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { SelectionDataset } from "../dataset.ts";
import { imagesIn } from "./dataset-images.ts";

const examplesName = "examples.jsonl";

export const winoground: DatasetReader = {
  layout: "winoground",
  looksLike: `${examplesName} and images`,
  names: ["winoground"],

  async recognizes(files, folder) {
    return (await placeOf(files, folder)) !== null;
  },

  async read(files, { name, folder, split = "test" }): Promise<SelectionDataset> {
    if (split !== "test")
      throw new InputError(`${folder}: expected --split test, the only one, found "${split}"`);
    const place = await placeOf(files, folder);
    if (place === null) {
      throw new InputError(
        `${joinPath(folder, examplesName)}: not found; download it from facebook/winoground, and unpack images.zip`,
      );
    }
    const path = joinPath(place, examplesName);
    const examples = (await files.text(path))
      .split("\n")
      .flatMap((line, i) => (line.trim() === "" ? [] : [JsonValue.parse(line, `${path}: line ${i + 1}`)]));
    if (examples.length === 0) throw new InputError(`${path}: expected an example a line, found none`);
    const both = (example: JsonValue, key: string): string[] =>
      [0, 1].map((i) => example.at(`${key}_${i}`).string());
    const names = examples.flatMap((example) => both(example, "image").map((image) => `${image}.png`));
    const instances = examples.map((example, i) => ({
      images: [2 * i, 2 * i + 1],
      captions: both(example, "caption"),
    }));
    return {
      kind: "selection",
      name,
      layout: "winoground",
      split,
      language: null,
      images: await imagesIn(files, joinPath(place, "images"), names),
      convertToRgbFirst: false,
      sources: [path],
      instances,
    };
  },
};

async function placeOf(files: DatasetFiles, folder: string): Promise<string | null> {
  for (const place of [folder, joinPath(folder, "data")]) {
    if ((await files.kindOf(joinPath(place, examplesName))) === "file") return place;
  }
  return null;
}
