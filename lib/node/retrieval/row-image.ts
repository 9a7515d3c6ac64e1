/** The image of a row, as far as its metadata tell where it is. */
import { resolve } from "node:path";
import type { MetadataRow } from "../../retrieval/columns.ts";
import type { StoredImage } from "../../tasks/image-source.ts";

/**
 * @param base the folder that relative paths start from
 * @returns the file, or the part of a tar; null if the metadata name neither
 */
export function imageOfRow(metadata: MetadataRow, base: string): StoredImage | null {
  const { image_path: path, source, offset, bytes } = metadata;
  if (typeof source === "string" && typeof offset === "number" && typeof bytes === "number") {
    return { name: String(path ?? source), file: resolve(base, source), offset, size: bytes };
  }
  return typeof path === "string" && path !== "" ? resolve(base, path) : null;
}
