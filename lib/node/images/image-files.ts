/** Finds image files by paths, folders and patterns. */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { expand } from "brace-expansion";
import { glob, isDynamicPattern } from "tinyglobby";
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { isDataUrl } from "../../tasks/image-source.ts";
import { unreadable } from "../files/file-source.ts";

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
 * @param onError receives an error for each path that cannot be found or read; the others continue
 */
export async function findImages(
  paths: readonly string[],
  onError: (error: InputError) => void,
): Promise<string[]> {
  return (await findFiles(paths, onError)).map(({ path }) => path);
}

/** As `findImages`, with the folders that were given. */
export async function findFiles(
  paths: readonly string[],
  onError: (error: InputError) => void,
): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for (const given of paths) {
    for (const path of (await isThere(given)) ? [given] : expand(given)) {
      try {
        for await (const file of filesOf(path)) {
          // A file whose name looks like a URL.
          files.push(isDataUrl(file.path) ? { ...file, path: `./${file.path}` } : file);
        }
      } catch (error) {
        onError(error instanceof InputError ? error : unreadable(path, error));
      }
    }
  }
  return files;
}

/** @param path a path, or a pattern without braces */
async function* filesOf(path: string): AsyncGenerator<FoundFile, void, undefined> {
  if (!(await isThere(path)) && isDynamicPattern(path)) {
    yield* matching(path);
    return;
  }
  if (!(await stat(path)).isDirectory()) {
    yield { path, root: null };
    return;
  }
  let isEmpty = true;
  for await (const file of imagesBelow(path)) {
    isEmpty = false;
    yield { path: file, root: path };
  }
  if (!isEmpty) return;
  throw new InputError(`${path}: no images in this folder (looked for ${imageExtensions.join(", ")})`);
}

async function* matching(pattern: string): AsyncGenerator<FoundFile, void, undefined> {
  const found = await glob(pattern, { onlyFiles: false, expandDirectories: false, caseSensitiveMatch: true });
  const parts = pattern.split("/");
  const root =
    parts
      .slice(
        0,
        parts.findIndex((part) => isDynamicPattern(part)),
      )
      .join("/") || (pattern.startsWith("/") ? "/" : ".");
  let folder: string | undefined;
  let isEmpty = true;
  for (const path of found.sort(compareCodePoints)) {
    // `photos/**` matches both folders and their contents, which count once. In sorted order they follow their folder.
    if (folder !== undefined && path.startsWith(folder)) continue;
    if (path.endsWith("/")) folder = path;
    for await (const image of path.endsWith("/") ? imagesBelow(path) : [path]) {
      isEmpty = false;
      yield { path: image, root };
    }
  }
  if (!isEmpty) return;
  throw new InputError(`${pattern}: no images match this pattern`);
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function* imagesBelow(folder: string): AsyncGenerator<string, void, undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => compareCodePoints(a.name, b.name));
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* imagesBelow(path);
    else if (imageExtensions.includes(extname(entry.name).toLowerCase())) yield path;
  }
}
