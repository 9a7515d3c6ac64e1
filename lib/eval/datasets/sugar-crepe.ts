/**
 * SugarCrepe: an image with its caption, and the caption with one change that makes it wrong.
 *
 *     ROOT/val2017/*.jpg       COCO's validation images of 2017
 *     ROOT/TASK.json           { index: { filename, caption, negative_caption } }, with gaps between the indices
 *
 * The name tells the task: `sugar_crepe/add_att`. CLIP_benchmark does not convert the images to RGB before it resizes
 * them.
 *
 * Source: clip_benchmark/datasets/sugar_crepe.py, SugarCrepe; datasets/builder.py, "sugar_crepe".
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { collections } from "../collections.ts";
import { joinPath } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { SelectionDataset } from "../dataset.ts";
import { imagesIn } from "./dataset-images.ts";

const tasks = collections["sugar_crepe"]!.map(({ dataset }) => dataset.slice("sugar_crepe/".length));
const imagesFolder = "val2017";

export const sugarCrepe: DatasetReader = {
  layout: "sugar-crepe",
  looksLike: `${imagesFolder} and a file such as add_att.json for each task`,
  names: ["sugar_crepe/"],

  async recognizes(files, folder) {
    const names = new Set((await files.list(folder)).map(({ name }) => name));
    return names.has(imagesFolder) && tasks.some((task) => names.has(`${task}.json`));
  },

  async read(files, { name, folder, split = "test", annotations }): Promise<SelectionDataset> {
    const task = name.replace(/^sugar_crepe\//, "");
    if (!tasks.includes(task)) {
      throw new InputError(
        `${name}: expected a task of SugarCrepe, such as sugar_crepe/add_att with --data ${folder}; ` +
          `the tasks are ${tasks.join(", ")}`,
      );
    }
    if (split !== "test")
      throw new InputError(`${folder}: expected --split test, the only one, found "${split}"`);
    const file = annotations ?? joinPath(folder, `${task}.json`);
    if ((await files.kindOf(file)) !== "file") {
      throw new InputError(
        `${file}: not found; download it from github.com/RAIVNLab/sugar-crepe, folder data`,
      );
    }
    const items = JsonValue.parse(await files.bytes(file), file)
      .entries()
      .map(([, item]) => ({
        image: item.at("filename").string(),
        captions: [item.at("caption").string(), item.at("negative_caption").string()],
      }));
    if (items.length === 0) throw new InputError(`${file}: expected captions, found none`);
    // Several captions may belong to one image, which is embedded once.
    const names = [...new Set(items.map(({ image }) => image))];
    const indexOf = new Map(names.map((one, i) => [one, i]));
    return {
      kind: "selection",
      name,
      layout: "sugar-crepe",
      split,
      language: null,
      images: await imagesIn(files, joinPath(folder, imagesFolder), names),
      convertToRgbFirst: false,
      sources: [file],
      instances: items.map(({ image, captions }) => ({ images: [indexOf.get(image)!], captions })),
    };
  },
};
