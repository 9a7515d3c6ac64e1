/**
 * Compares vectors of an index with those that the model in use gives for the same images: the way to find out whether
 * adopted embeddings were made by this image tower.
 */
import { readdir } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { MetadataRow } from "../../retrieval/columns.ts";
import type { ImageSource } from "../../tasks/image-source.ts";
import { exists } from "../files/exists.ts";
import { unreadable } from "../files/file-source.ts";
import { embedImages } from "../images/embed-images.ts";
import { imageExtensions } from "../images/image-files.ts";
import type { OpenedIndex } from "./open-index.ts";

export interface SampledRow {
  readonly id: number;
  /** The cosine of the stored vector and the one that the model gives now. */
  readonly cosine: number;
  /** The greatest cosine of the image with another row of the sample; null in a sample of one. */
  readonly other: number | null;
}

/** Where a row's image is, as its metadata record it; null if they do not. */
export function imageOfRow(row: MetadataRow, base: string | null): ImageSource | null {
  const { image_path: path, source, offset, bytes } = row;
  if (typeof path !== "string" || base === null) return null;
  if (typeof offset === "number" && typeof source === "string" && typeof bytes === "number")
    return { name: path, file: resolve(base, source), offset, size: bytes };
  return resolve(base, path);
}

/** Images named after the ids of their rows: `123.jpg`. @throws InputError if there are none */
export async function imagesById(folder: string): Promise<Map<number, string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const found = new Map<number, string>();
  for (const name of names) {
    const id = /^(\d{1,15})\./.exec(name)?.[1];
    if (id !== undefined && imageExtensions.includes(extname(name).toLowerCase()))
      found.set(Number(id), join(folder, name));
  }
  if (found.size > 0) return found;
  throw new InputError(`${folder}: expected images named after the ids of their rows (123.jpg), found none`);
}

/** Rows of each part of the index that are looked for, because some images may have vanished. */
const attemptsPerPart = 4;

/** The images of `count` rows, evenly spaced, whose files are there. */
export async function reachableImages(index: OpenedIndex, count: number): Promise<Map<number, ImageSource>> {
  const found = new Map<number, ImageSource>();
  for (let part = 0; part < count; part++) {
    for (let attempt = 0; attempt < attemptsPerPart; attempt++) {
      const id = Math.floor(((part + (attempt + 0.5) / attemptsPerPart) * index.rows) / count);
      if (found.has(id) || index.deleted.has(id)) continue;
      const [row] = await index.readMetadata([id]);
      const image = imageOfRow(row!, index.base);
      if (image === null || !(await exists(typeof image === "string" ? image : image.file))) continue;
      found.set(id, image);
      break;
    }
  }
  return found;
}

/** @throws InputError if an image cannot be read, or the widths differ */
export async function verifySample(
  index: OpenedIndex,
  images: ReadonlyMap<number, ImageSource>,
  model: Clip,
): Promise<SampledRow[]> {
  const { embedDim: width } = model.config;
  if (width !== index.width) {
    throw new InputError(
      `${index.path}: expected vectors of ${width} numbers, as the model in use makes, found ${index.width}; choose another --model`,
    );
  }
  const ids = [...images.keys()];
  const stored = await index.readRows(ids);
  const now = new Float32Array(stored.length);
  for await (const { features, indices } of embedImages(model, [...images.values()], { normalize: true })) {
    now.set(await features.data<"float32">(), indices[0]! * width);
    features.dispose();
  }
  const cosine = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += now[a * width + i]! * stored[b * width + i]!;
    return sum;
  };
  return ids.map((id, i) => {
    const others = ids.flatMap((_, j) => (j === i ? [] : [cosine(i, j)]));
    return { id, cosine: cosine(i, i), other: others.length === 0 ? null : Math.max(...others) };
  });
}
