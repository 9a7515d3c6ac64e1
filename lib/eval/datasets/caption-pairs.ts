/** Retrieval datasets with one caption for each image and language. */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetRequest } from "../dataset-reader.ts";
import type { RetrievalDataset } from "../dataset.ts";
import { imagesIn, splitPath } from "./dataset-images.ts";

/** Images and their captions, in the same order. */
export interface CaptionPairs {
  readonly images: readonly string[];
  readonly captions: readonly string[];
  readonly sources: readonly string[];
}

/** The dataset of such pairs. CLIP_benchmark converts the images to RGB before it resizes them. */
export function pairedDataset(
  { name, language = "en" }: DatasetRequest,
  layout: string,
  { images, captions, sources }: CaptionPairs,
): RetrievalDataset {
  return {
    kind: "retrieval",
    name,
    layout,
    split: null,
    language,
    images,
    convertToRgbFirst: true,
    sources,
    captions: captions.map((caption) => [caption]),
  };
}

/**
 * Reads CLIP_benchmark's annotations of one language: `{ "image_paths": […], "annotations": […] }`. It keeps the paths as
 * they were seen from the folder where it ran; here the images are looked for below the dataset's folder first.
 *
 * Source: clip_benchmark/datasets/multilingual_mscoco.py, xtd10.py, xtd200.py, flickr30k_200.py, crossmodal3600.py.
 * @throws InputError for another format, and for missing images
 */
export async function readAnnotations(
  files: DatasetFiles,
  folder: string,
  file: string,
): Promise<CaptionPairs> {
  const root = JsonValue.parse(await files.bytes(file), file);
  const paths = root.at("image_paths").strings();
  const captions = root.at("annotations").strings();
  assertPairs(paths, captions, file);
  const places = new Map<string, string>();
  for (const path of paths) {
    const [parent, name] = splitPath(path);
    if (!places.has(parent)) places.set(parent, await placeOf(files, folder, parent, name));
  }
  const located = paths.map((path): [string, string] => {
    const [parent, name] = splitPath(path);
    return [places.get(parent)!, name];
  });
  for (const place of new Set(places.values())) {
    await imagesIn(
      files,
      place,
      located.flatMap(([own, name]) => (own === place ? [name] : [])),
    );
  }
  return { images: located.map(([place, name]) => joinPath(place, name)), captions, sources: [file] };
}

/** @throws InputError unless there is a caption for each image */
export function assertPairs(images: readonly string[], captions: readonly string[], file: string): void {
  if (images.length === captions.length && images.length > 0) return;
  throw new InputError(
    `${file}: expected a caption for each image, found ${captions.length} captions for ${images.length} images`,
  );
}

/** Where the images of a folder are: below `root` under the end of the folder's path, or at the path. */
async function placeOf(files: DatasetFiles, root: string, parent: string, name: string): Promise<string> {
  const parts = parent.split("/").filter((part) => part !== "");
  const below = parts.map((_, from) => joinPath(root, ...parts.slice(from)));
  const candidates = [...below, root, parent];
  for (const place of candidates) {
    if ((await files.kindOf(joinPath(place, name))) === "file") return place;
  }
  // The error lists the images as missing from here.
  return below[0] ?? root;
}
