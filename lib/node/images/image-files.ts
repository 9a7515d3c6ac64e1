/** Finds image files by paths, folders and patterns. */
import { opendir, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { expand } from "brace-expansion";
import { isDynamicPattern } from "tinyglobby";
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { isDataUrl } from "../../tasks/image-source.ts";
import { exists } from "../files/exists.ts";
import { unreadable } from "../files/file-source.ts";
import { matches, staticPart } from "./glob.ts";
import { SourceList } from "./source-list.ts";

/** The extensions of images in a folder. A file that is named explicitly may have any. */
export const imageExtensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"];

export interface FoundFile {
  readonly path: string;
  /** The folder that was given; for a pattern the part before its first wildcard; null for a file named explicitly. */
  readonly root: string | null;
}

/**
 * Finds images. A folder gives the images in it and its subfolders, sorted by name; a pattern (`photos/*.jpg`,
 * `{000..003}.tar`) gives what a shell would expand it to. Hidden files and folders, and links to folders, are skipped.
 *
 * @param onError receives an error for each path that cannot be found, and each folder that cannot be read; the others
 *   continue
 */
export async function findImages(
  paths: readonly string[],
  onError: (error: InputError) => void,
): Promise<SourceList> {
  const images = new SourceList();
  for await (const { path } of findFiles(paths, onError)) images.add(path);
  return images;
}

/** As `findImages`, one by one, with the folders that were given. The memory is that of the largest single folder. */
export async function* findFiles(
  paths: readonly string[],
  onError: (error: InputError) => void,
): AsyncGenerator<FoundFile, void, undefined> {
  for (const given of paths) {
    for (const path of (await isThere(given)) ? [given] : expand(given)) {
      try {
        for await (const file of filesOf(path, onError)) {
          // A file whose name looks like a URL.
          yield isDataUrl(file.path) ? { ...file, path: `./${file.path}` } : file;
        }
      } catch (error) {
        onError(error instanceof InputError ? error : unreadable(path, error));
      }
    }
  }
}

type OnError = (error: InputError) => void;

/** @param path a path, or a pattern without braces */
async function* filesOf(path: string, onError: OnError): AsyncGenerator<FoundFile, void, undefined> {
  const isPattern = !(await isThere(path)) && isDynamicPattern(path);
  if (!isPattern && !(await stat(path)).isDirectory()) {
    yield { path, root: null };
    return;
  }
  const root = isPattern ? staticPart(path) : path;
  let isEmpty = true;
  for await (const file of isPattern ? matchingImages(path, onError) : imagesBelow(path, onError)) {
    isEmpty = false;
    yield { path: file, root };
  }
  if (!isEmpty) return;
  // A shell's patterns skip folders that cannot be read; the reason is worth telling if nothing else matches.
  if (await exists(root)) await (await opendir(root)).close();
  throw new InputError(
    isPattern
      ? `${path}: no images match this pattern`
      : `${path}: no images in this folder (looked for ${imageExtensions.join(", ")})`,
  );
}

/** What matches a pattern, and the images in the folders that match. */
async function* matchingImages(pattern: string, onError: OnError): AsyncGenerator<string, void, undefined> {
  let folder: string | undefined;
  for await (const path of matches(pattern)) {
    // `photos/**` matches both folders and their contents, which count once. In sorted order they follow their folder.
    if (folder !== undefined && path.startsWith(folder)) continue;
    if (!path.endsWith("/")) yield path;
    else yield* imagesBelow((folder = path), onError);
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The images in a folder and its subfolders. A subfolder that cannot be read is reported, and the others continue. */
async function* imagesBelow(
  folder: string,
  onError: OnError,
  isSubfolder = false,
): AsyncGenerator<string, void, undefined> {
  const names: string[] = [];
  const folders = new Set<string>();
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (!isSubfolder) throw unreadable(folder, error);
    onError(unreadable(folder, error));
    return [];
  });
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith(".")) continue;
    if (entry.isDirectory()) folders.add(name);
    else if (!imageExtensions.includes(extname(name).toLowerCase())) continue;
    names.push(name);
  }
  for (const name of names.sort(compareCodePoints)) {
    const path = join(folder, name);
    if (folders.has(name)) yield* imagesBelow(path, onError, true);
    else yield path;
  }
}
