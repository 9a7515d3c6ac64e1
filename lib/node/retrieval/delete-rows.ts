/** Deletes the rows of an index that its metadata, or something else in it, select. */
import { deleteIds } from "./delete-ids.ts";
import { openIndex, type OpenedIndex } from "./open-index.ts";
import { readIndexFile } from "./read-index-file.ts";

/**
 * Deletes the rows that `select` names.
 *
 * @returns how many were deleted that had not been before
 * @throws InputError if the folder is not an index, or an id is not one of a row; TryAgainError if the index is compacted
 *   meanwhile. Nothing is deleted then
 */
export async function deleteRows(
  folder: string,
  select: (index: OpenedIndex) => Promise<Iterable<number>>,
): Promise<number> {
  await readIndexFile(folder);
  const index = await openIndex(folder);
  try {
    return await deleteIds(folder, index.generation, await select(index));
  } finally {
    await index.close();
  }
}
