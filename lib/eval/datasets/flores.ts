/**
 * Flickr30k-200 and XTD200: 1,000 images with a machine-translated caption in each language of FLORES-200, whose codes
 * they use ("ita_Latn").
 *
 *     ROOT/flickr30k-200/images/*.jpg                 ROOT/xtd200/images/*.jpg
 *     ROOT/flickr30k-200/filenames.txt                ROOT/xtd200/test_image_names.txt
 *     ROOT/flickr30k-200/LANGUAGE.txt                 ROOT/xtd200/LANGUAGE.txt
 *     ROOT/flickr30k_200-LANGUAGE.json                ROOT/xtd200-LANGUAGE.json, where CLIP_benchmark wrote it
 *
 * Source: clip_benchmark/datasets/flickr30k_200.py, xtd200.py and flores_langs.py.
 */
import { listReader } from "./translated-lists.ts";

export const flores = listReader({
  layout: "flores",
  looksLike: "filenames.txt or test_image_names.txt, and a file such as ita_Latn.txt for each language",
  names: ["flickr30k-200", "xtd200"],
  annotations: /^(?:flickr30k_200|xtd200)-(\w+)\.json$/,
  folders: ["flickr30k-200", "xtd200", ""],
  lists: ["filenames.txt", "test_image_names.txt"],
  captions: /^([a-z]{3}_[A-Z][a-z]{3})\.txt$/,
});
