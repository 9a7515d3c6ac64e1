/**
 * Folders that clip-retrieval's `inference` wrote, or that have its layout, such as LAION's published embeddings: vectors
 * and metadata in files of the same number.
 *
 * Source: clip_retrieval/clip_inference/writer.py.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { unreadable } from "../files/file-source.ts";

/** The files of one partition. */
export interface ClipRetrievalPartition {
  /** Null if that side was not embedded. */
  readonly image: string | null;
  readonly text: string | null;
  readonly metadata: string | null;
}

/**
 * The partitions of a folder in the order of their names, as readers concatenate them.
 *
 * @returns null if the folder has neither `img_emb` nor `text_emb`
 * @throws InputError if a partition lacks a file that others have
 */
export async function readClipRetrievalFolder(folder: string): Promise<ClipRetrievalPartition[] | null> {
  const images = await filesOf(folder, "img_emb", ".npy");
  const texts = await filesOf(folder, "text_emb", ".npy");
  const metadata = await filesOf(folder, "metadata", ".parquet");
  const main = images ?? texts;
  if (main === null) return null;
  for (const files of [texts, metadata]) {
    const odd = files === null ? undefined : oddOne(main, files);
    if (odd === undefined) continue;
    throw new InputError(
      `${odd}: expected a partition of this number in each of img_emb, text_emb and metadata; download or write the missing files`,
    );
  }
  return [...main.keys()].map((number) => ({
    image: images?.get(number) ?? null,
    text: texts?.get(number) ?? null,
    metadata: metadata?.get(number) ?? null,
  }));
}

/** The files of a subfolder by the number in their names; null if there are none. */
async function filesOf(folder: string, name: string, extension: string): Promise<Map<string, string> | null> {
  const path = join(folder, name);
  const names = await readdir(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(path, error);
  });
  const files = new Map<string, string>();
  for (const file of names.sort(compareCodePoints)) {
    const number = /(?:^|[^\d])(\d+)\.[a-z]+$/.exec(file)?.[1];
    if (number !== undefined && file.endsWith(extension)) files.set(number, join(path, file));
  }
  return files.size === 0 ? null : files;
}

function oddOne(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string | undefined {
  const lonely = (of: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string | undefined =>
    [...of].find(([number]) => !other.has(number))?.[1];
  return lonely(a, b) ?? lonely(b, a);
}
