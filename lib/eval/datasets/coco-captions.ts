/**
 * MS-COCO with Karpathy's splits, as COCO's JSON.
 *
 *     ROOT/val2014/*.jpg                     train2014 for the split "train"
 *     ROOT/coco_SPLIT_karpathy.json          { images: [{ id, file_name }], annotations: [{ image_id, caption }] }
 *
 * Images are sorted by id. Captions have the order of the annotations; an image may have none.
 *
 * Source: clip_benchmark/datasets/builder.py, "mscoco_captions"; torchvision, datasets/coco.py, CocoCaptions.
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { joinPath } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { RetrievalDataset } from "../dataset.ts";
import { imagesIn } from "./dataset-images.ts";

const splits = ["train", "val", "test"];

export const cocoCaptions: DatasetReader = {
  layout: "coco",
  looksLike: "val2014 and coco_test_karpathy.json",
  names: ["mscoco_captions"],

  async recognizes(files, folder) {
    return (await files.list(folder)).some(({ name }) => /^coco_\w+_karpathy\.json$/.test(name));
  },

  async read(files, { name, folder, split = "test", annotations }): Promise<RetrievalDataset> {
    if (!splits.includes(split)) {
      throw new InputError(`${folder}: expected --split ${splits.join(", ")}, found "${split}"`);
    }
    const file = annotations ?? joinPath(folder, `coco_${split}_karpathy.json`);
    if ((await files.kindOf(file)) !== "file") {
      throw new InputError(
        `${file}: not found; download it from github.com/mehdidc/retrieval_annotations, or give --annotations FILE`,
      );
    }
    const root = JsonValue.parse(await files.bytes(file), file);
    const captions = new Map<number, string[]>();
    const names = new Map<number, string>();
    for (const image of root.at("images").items()) {
      const id = image.at("id").integer(0);
      if (names.has(id)) throw image.at("id").error("an id that no other image has");
      names.set(id, image.at("file_name").string());
      captions.set(id, []);
    }
    for (const annotation of root.at("annotations").items()) {
      const own = captions.get(annotation.at("image_id").integer(0));
      if (own === undefined) throw annotation.at("image_id").error('the id of one of the "images"');
      own.push(annotation.at("caption").string());
    }
    const ids = [...names.keys()].sort((a, b) => a - b);
    const place = joinPath(folder, split === "train" ? "train2014" : "val2014");
    return {
      kind: "retrieval",
      name,
      layout: "coco",
      split,
      language: null,
      images: await imagesIn(
        files,
        place,
        ids.map((id) => names.get(id)!),
      ),
      convertToRgbFirst: true,
      sources: [file],
      captions: ids.map((id) => captions.get(id)!),
    };
  },
};
