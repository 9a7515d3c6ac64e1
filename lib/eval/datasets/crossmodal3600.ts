/**
 * Crossmodal-3600: 3,600 images with captions in 36 languages.
 *
 *     ROOT/xm3600/images/KEY.jpg
 *     ROOT/xm3600/captions.jsonl                      { "image/key": KEY, LANGUAGE: { "caption": […] } } a line
 *     ROOT/crossmodal3600_captions-LANGUAGE.json      where CLIP_benchmark wrote it
 *
 * Only the first caption of an image and language is used, as by CLIP_benchmark; figures of other programs may use all.
 *
 * Source: clip_benchmark/datasets/crossmodal3600.py.
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader, DatasetRequest } from "../dataset-reader.ts";
import { pairedDataset, readAnnotations, type CaptionPairs } from "./caption-pairs.ts";
import { imagesIn } from "./dataset-images.ts";
import { filesByLanguage, unknownLanguage } from "./languages.ts";

const annotationsPattern = /^crossmodal3600_captions-(\w+)\.json$/;
const captionsName = "captions.jsonl";

export const crossmodal3600: DatasetReader = {
  layout: "crossmodal3600",
  looksLike: `xm3600/${captionsName} and xm3600/images`,
  names: ["crossmodal3600"],

  async recognizes(files, folder) {
    if ((await captionsFolder(files, folder)) !== null) return true;
    return (await filesByLanguage(files, folder, annotationsPattern)).size > 0;
  },

  async read(files, request) {
    return pairedDataset(request, "crossmodal3600", await readPairs(files, request));
  },
};

async function readPairs(files: DatasetFiles, request: DatasetRequest): Promise<CaptionPairs> {
  const { folder, language = "en" } = request;
  const annotations = await filesByLanguage(files, folder, annotationsPattern);
  const own = annotations.get(language);
  const file = request.annotations ?? (own === undefined ? undefined : joinPath(folder, own));
  if (file !== undefined) return readAnnotations(files, folder, file);
  const place = await captionsFolder(files, folder);
  if (place === null) {
    if (annotations.size > 0) throw unknownLanguage(folder, language, annotations.keys());
    throw new InputError(
      `${joinPath(folder, "xm3600", captionsName)}: not found; download it, and the images`,
    );
  }
  const path = joinPath(place, captionsName);
  const items = (await files.text(path))
    .split("\n")
    .flatMap((line, i) => (line.trim() === "" ? [] : [JsonValue.parse(line, `${path}: line ${i + 1}`)]));
  if (items.length === 0) throw new InputError(`${path}: expected an image a line, found none`);
  const names = items.map((item) => `${item.at("image/key").string()}.jpg`);
  const captions = items.map((item) => firstCaption(item, path, language));
  return { images: await imagesIn(files, joinPath(place, "images"), names), captions, sources: [path] };
}

async function captionsFolder(files: DatasetFiles, folder: string): Promise<string | null> {
  for (const place of [joinPath(folder, "xm3600"), folder]) {
    if ((await files.kindOf(joinPath(place, captionsName))) === "file") return place;
  }
  return null;
}

function firstCaption(item: JsonValue, path: string, language: string): string {
  // "image/key" and "image/locale" are not languages.
  const isLanguage = ([key]: [string, JsonValue]): boolean => !key.includes("/");
  const own = item.entries().filter(isLanguage);
  const [, captions] = own.find(([key]) => key === language) ?? [];
  if (captions === undefined)
    throw unknownLanguage(
      path,
      language,
      own.map(([key]) => key),
    );
  const [first] = captions.at("caption").items();
  if (first === undefined) throw captions.at("caption").error("at least one caption");
  return first.string();
}
