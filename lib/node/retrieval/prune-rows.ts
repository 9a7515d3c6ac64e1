/** Deletes rows whose files have vanished. */
import { stat } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { noText, type NumberColumn, type TextColumn } from "../../retrieval/columns.ts";
import { deleteRows } from "./delete-rows.ts";
import type { OpenedIndex } from "./open-index.ts";
import { writePruned, type PrunedInput } from "./pruned.ts";
import { readIndexFile } from "./read-index-file.ts";

/** Files that are looked for together. */
const atOnce = 64;

/**
 * Deletes the rows of files below the given folders that are gone. Rows of shards go with their shard.
 *
 * @returns how many rows were deleted
 * @throws InputError if a folder is missing: its disk may not be mounted
 */
export async function pruneRows(folder: string, roots: readonly string[]): Promise<number> {
  for (const root of roots) {
    const found = await stat(root).catch(() => null);
    if (found === null)
      throw new InputError(`--prune: ${root}: no such file or folder; is its disk mounted?`);
  }
  const pruned: PrunedInput[] = [];
  const count = await deleteRows(folder, async (index) => {
    const { ids, inputs } = await vanishedRows(index, roots);
    pruned.push(...inputs);
    return ids;
  });
  if (pruned.length > 0) await writePruned(folder, (await readIndexFile(folder)).next, pruned);
  return count;
}

async function vanishedRows(
  index: OpenedIndex,
  roots: readonly string[],
): Promise<{ readonly ids: number[]; readonly inputs: PrunedInput[] }> {
  const base = index.base ?? ".";
  const paths = (await index.readColumn("image_path")) as TextColumn;
  const sources = (await index.readColumn("source")) as TextColumn;
  const offsets = (await index.readColumn("offset")) as NumberColumn;
  const sizes = (await index.readColumn("bytes")) as NumberColumn;
  const mtimes = (await index.readColumn("mtime")) as NumberColumn;
  const isBelow = (path: string): boolean =>
    roots.some((root) => {
      const rest = relative(resolve(root), resolve(base, path));
      return rest === "" || !(rest.startsWith("..") || resolve(rest) === rest);
    });
  /** The file that holds each row's image; null where it is not known or not below the folders. */
  const fileOf = (id: number): string | null => {
    const code = Number.isNaN(offsets.values[id]!) ? paths.codes[id]! : sources.codes[id]!;
    if (code === noText) return null;
    const path = (Number.isNaN(offsets.values[id]!) ? paths : sources).dictionary[code]!;
    return isBelow(path) ? path : null;
  };
  const gone = new Map<string, Promise<boolean>>();
  const isGone = (path: string): Promise<boolean> => {
    let answer = gone.get(path);
    if (answer === undefined) {
      answer = stat(resolve(base, path)).then(
        () => false,
        (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT",
      );
      // Neighbours share a shard; single files are asked about once.
      if (gone.size > 1024) gone.clear();
      gone.set(path, answer);
    }
    return answer;
  };
  const ids: number[] = [];
  const inputs = new Map<string, PrunedInput>();
  for (let start = 0; start < index.rows; start += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, index.rows - start) }, (_, i) => start + i);
    const answers = await Promise.all(
      some.map((id) => {
        const path = index.deleted.has(id) ? null : fileOf(id);
        return path === null ? Promise.resolve(false) : isGone(path);
      }),
    );
    for (const [i, id] of some.entries()) {
      if (answers[i] !== true) continue;
      ids.push(id);
      const path = fileOf(id)!;
      const number = (value: number): number | null => (Number.isNaN(value) ? null : value);
      const isPart = !Number.isNaN(offsets.values[id]!);
      // A shard that comes back is another input if its time is; its size is not in the row.
      if (!isPart)
        inputs.set(path, { path, size: number(sizes.values[id]!), mtime: number(mtimes.values[id]!) });
    }
  }
  return { ids, inputs: [...inputs.values()] };
}
