/**
 * XTD10: 1,000 images of COCO with a caption in each of eleven languages (de en es fr it jp ko pl ru tr zh).
 *
 *     ROOT/xtd10-LANGUAGE.json                        or multilingual_mscoco_captions-LANGUAGE.json
 *     ROOT/xtd10/images/*.jpg                         or multilingual_mscoco/images
 *     ROOT/xtd10/test_image_names.txt                 without the JSON files: an image a line,
 *     ROOT/xtd10/test_1kcaptions_LANGUAGE.txt         and its caption
 *
 * CLIP_benchmark writes the JSON files from the lists, and leaves out missing images; here they are an error.
 *
 * Source: clip_benchmark/datasets/multilingual_mscoco.py and xtd10.py.
 */
import { listReader } from "./translated-lists.ts";

export const xtd = listReader({
  layout: "xtd",
  looksLike: "xtd10-LANGUAGE.json, or test_image_names.txt and test_1kcaptions_LANGUAGE.txt",
  names: ["multilingual_mscoco_captions", "xtd10"],
  annotations: /^(?:xtd10|multilingual_mscoco_captions)-(\w+)\.json$/,
  folders: ["multilingual_mscoco", "xtd10", ""],
  lists: ["test_image_names.txt"],
  captions: /^test_1kcaptions_(\w+)\.txt$/,
});
