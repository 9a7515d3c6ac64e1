/** The kinds of sources of an index: image files and folders, shards, lists. */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { expand } from "brace-expansion";
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { findFiles } from "../images/image-files.ts";
import { unreadable } from "../files/file-source.ts";

/** The formats of lists by their extensions. */
export const listFormats = [".txt", ".csv", ".tsv", ".jsonl", ".parquet"] as const;
export type ListFormat = (typeof listFormats)[number];

export type Source =
  | { readonly kind: "images"; readonly given: string }
  | { readonly kind: "shards"; readonly shards: readonly string[] }
  | { readonly kind: "list"; readonly path: string; readonly format: ListFormat };

/**
 * Tells what sources are: a folder with tars in it (such as img2dataset writes) and tars are shards; files with the
 * extensions of lists are lists; everything else is looked through for images. Braces are expanded.
 *
 * @throws InputError for a path that does not exist
 */
export async function findSources(given: readonly string[]): Promise<Source[]> {
  const sources: Source[] = [];
  for (const path of given) sources.push(...(await sourcesOf(path)));
  return sources;
}

async function sourcesOf(given: string): Promise<Source[]> {
  const found = await stat(given).catch(() => null);
  if (found?.isDirectory() === true) {
    const shards = await shardsIn(given);
    return shards.length > 0 ? [{ kind: "shards", shards }] : [{ kind: "images", given }];
  }
  const extensions = expand(given).map((path) => extname(path).toLowerCase());
  const isAll = (extension: string): boolean => extensions.every((one) => one === extension);
  if (isAll(".tar")) return [{ kind: "shards", shards: await filesOf(given) }];
  const format = listFormats.find(isAll);
  if (format === undefined) return [{ kind: "images", given }];
  return (await filesOf(given)).map((path) => ({ kind: "list", path, format }));
}

/** The tars of a folder in the order of their names. */
async function shardsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  return names
    .filter((name) => extname(name).toLowerCase() === ".tar")
    .sort(compareCodePoints)
    .map((name) => join(folder, name));
}

async function filesOf(pattern: string): Promise<string[]> {
  const paths: string[] = [];
  const fail = (error: InputError): never => {
    throw error;
  };
  for await (const { path } of findFiles([pattern], fail)) paths.push(path);
  return paths;
}
