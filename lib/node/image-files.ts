/** Which files a person means by a list of paths. */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { InputError } from "../tensor/errors.ts";
import { unreadable } from "./file-source.ts";

/** Endings of the files that are taken from a folder. A file that is named itself may have any. */
export const imageExtensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"];

/**
 * Finds images: a file stands for itself, a folder for the images in it and in the folders below, by name. Hidden
 * files and folders, and links to folders, are left out.
 *
 * @param onError receives what cannot be found or read; the rest goes on
 */
export async function findImages(
  paths: readonly string[],
  onError: (error: InputError) => void,
): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        files.push(path);
        continue;
      }
      const before = files.length;
      for await (const file of imagesBelow(path)) files.push(file);
      if (files.length === before) {
        throw new InputError(`${path}: no images in this folder (looked for ${imageExtensions.join(", ")})`);
      }
    } catch (error) {
      onError(error instanceof InputError ? error : unreadable(path, error));
    }
  }
  return files;
}

async function* imagesBelow(folder: string): AsyncGenerator<string, void, undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* imagesBelow(path);
    else if (imageExtensions.includes(extname(entry.name).toLowerCase())) yield path;
  }
}
