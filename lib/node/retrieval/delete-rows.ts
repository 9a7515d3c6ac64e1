/** Deletes rows: marks them in `deleted.bin`, and their ids stay. */
import { join } from "node:path";
import { tombstonesName } from "../../retrieval/layout.ts";
import { writeWhole } from "../files/write-file.ts";
import { whileChanging } from "./change-index.ts";
import { openIndex, type OpenedIndex } from "./open-index.ts";
import { readIndexFile } from "./read-index-file.ts";

/**
 * Deletes the rows that `select` names.
 *
 * @returns how many were deleted that had not been before
 * @throws InputError if the folder is not an index, or an id is not one of a row; nothing is deleted then
 */
export async function deleteRows(
  folder: string,
  select: (index: OpenedIndex) => Promise<Iterable<number>>,
): Promise<number> {
  return whileChanging(folder, async () => {
    const { generation } = await readIndexFile(folder);
    const index = await openIndex(folder);
    try {
      const { deleted, ids } = index;
      const before = deleted.count;
      for (const id of await select(index)) {
        ids.locate(id);
        deleted.add(id);
      }
      if (deleted.count > before)
        await writeWhole(join(folder, tombstonesName), [deleted.encode(generation, index.rows)]);
      return deleted.count - before;
    } finally {
      await index.close();
    }
  });
}
