/** Images that are given as files and lists, as rows of metadata: what a plan records of each of them. */
import { readFile, stat } from "node:fs/promises";
import { extname, isAbsolute, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { Cell, ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import { fitRow, flatten } from "../../retrieval/flatten.ts";
import { findFiles } from "../images/image-files.ts";
import { unreadable } from "../files/file-source.ts";
import { listRows, type ListOptions } from "./list-rows.ts";
import type { Source } from "./sources.ts";

/** An image and the cells that its source has for it. */
export interface GivenImage {
  readonly path: string;
  readonly cells: ReadonlyMap<string, Cell>;
  /** The list that names it; null for files and folders. */
  readonly list: string | null;
}

/** Files that are looked at together. */
const atOnce = 64;

/** In bytes; longer captions and documents beside images are left out. */
const longestSidecar = 2 ** 20;

export type ImageListing = Exclude<Source, { readonly kind: "shards" }>;

/**
 * The images of a source in order. Those of folders have the text and the document that lie beside them (`.txt`,
 * `.json`), as img2dataset and clip-retrieval know them.
 *
 * @param onError receives an error for each path that cannot be found; the others continue
 */
export async function* givenImages(
  source: ImageListing,
  options: ListOptions,
  onError: (error: InputError) => void,
): AsyncGenerator<GivenImage, void, undefined> {
  if (source.kind === "list") {
    for await (const row of listRows(source.path, source.format, options))
      yield { ...row, list: source.path };
    return;
  }
  yield* concurrently(findFiles([source.given], onError), async ({ path }) => ({
    path,
    cells: await readSidecars(path),
    list: null,
  }));
}

async function readSidecars(path: string): Promise<Map<string, Cell>> {
  const stem = path.slice(0, path.length - extname(path).length);
  const [caption, document] = await Promise.all([`${stem}.txt`, `${stem}.json`].map(readSidecar));
  const cells = document == null ? new Map<string, Cell>() : flattenText(document);
  if (caption != null) cells.set("caption", caption.trim());
  return cells;
}

async function readSidecar(path: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    return size > longestSidecar ? null : await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(path, error);
  }
}

/** The cells of a document; a damaged one is kept as a text, since the image is readable without it. */
export function flattenText(json: string): Map<string, Cell> {
  try {
    return flatten(JSON.parse(json));
  } catch {
    return new Map([["json", json.slice(0, 1000)]]);
  }
}

/**
 * Images as rows, with the size and time of each file. A file that is gone has neither.
 *
 * @param base the folder that relative paths start from
 */
export async function* plannedRows(
  images: AsyncIterable<GivenImage>,
  columns: readonly ColumnInfo[],
  base: string,
): AsyncGenerator<MetadataRow, void, undefined> {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  yield* concurrently(images, async ({ path, cells, list }) => {
    const found = await stat(resolve(base, path)).catch(() => null);
    const fixed = {
      image_path: path,
      source: list,
      bytes: found?.size ?? null,
      mtime: found === null ? null : Math.floor(found.mtimeMs),
    };
    return fitRow(fixed, cells, types);
  });
}

/** A path as it is recorded: as given, or absolute if it was given in another folder than the index's base. */
export function recordedPath(path: string, base: string): string {
  return isAbsolute(path) || resolve(".") === base ? path : resolve(path);
}

/** Applies a function to the items, several at once, in their order. */
async function* concurrently<A, B>(
  items: AsyncIterable<A>,
  apply: (item: A) => Promise<B>,
): AsyncGenerator<B, void, undefined> {
  let pending: Promise<B>[] = [];
  for await (const item of items) {
    pending.push(apply(item));
    if (pending.length < atOnce) continue;
    yield* await Promise.all(pending);
    pending = [];
  }
  yield* await Promise.all(pending);
}
