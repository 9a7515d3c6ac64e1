/** Features files by path. */
import type { Clip } from "../../clip/clip.ts";
import {
  embedImagesToFile as embedImagesOnHost,
  embedTextsToFile as embedTextsOnHost,
  type Embedded,
  type EmbedImagesToFileOptions,
  type EmbedToFileOptions,
} from "../../features/embed-to-file.ts";
import type { Features } from "../../features/features.ts";
import { encodeFeatures } from "../../features/features-file.ts";
import { assertSearchable } from "../../features/origin.ts";
import { decodeFeatures } from "../../features/read-features.ts";
import { SearchableFeatures } from "../../features/search-features.ts";
import type { LabelledImages } from "../../features/labelled-images.ts";
import { FileSource } from "../files/file-source.ts";
import { writeWhole } from "../files/write-file.ts";
import { nodeHost } from "../host.ts";

/** Reads a features file. @throws InputError as `decodeFeatures`, and if the file cannot be read */
export async function readFeatures(path: string): Promise<Features> {
  return decodeFeatures(await FileSource.open(path));
}

/** Writes a features file, whole or not at all. @throws InputError if it cannot be written */
export function writeFeatures(path: string, features: Omit<Features, "name">): Promise<void> {
  return writeWhole(path, encodeFeatures(features));
}

/**
 * Opens a features file for searches with a model's queries.
 *
 * @returns the file, which the caller closes
 * @throws InputError if it cannot be read, does not name the image of each row, or was made with another model
 */
export async function openSearch(path: string, model: Clip): Promise<SearchableFeatures> {
  const features = await SearchableFeatures.open(await FileSource.open(path));
  try {
    await assertSearchable(nodeHost, model, features);
    return features;
  } catch (error) {
    await features.close();
    throw error;
  }
}

/** Embeds image files into features files; see `embedImagesToFile` in lib/features. */
export function embedImagesToFile(
  model: Clip,
  images: LabelledImages,
  out: string,
  options: EmbedImagesToFileOptions,
): Promise<Embedded[]> {
  return embedImagesOnHost(nodeHost, model, images, out, options);
}

/** Embeds texts into features files; see `embedTextsToFile` in lib/features. */
export function embedTextsToFile(
  model: Clip,
  texts: readonly string[],
  out: string,
  options: EmbedToFileOptions = {},
): Promise<Embedded[]> {
  return embedTextsOnHost(nodeHost, model, texts, out, options);
}
