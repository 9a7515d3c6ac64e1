/** Deletes rows by their ids: marks them in `deleted.bin`, and the ids of others stay. */
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";
import { tombstonesName } from "../../retrieval/layout.ts";
import { writeWhole } from "../files/write-file.ts";
import { whileChanging } from "./change-index.ts";
import { readIndexFile, readTombstones, settledPartitions } from "./read-index-file.ts";

/**
 * @param generation that the ids belong to
 * @returns how many were deleted that had not been before
 * @throws InputError for an id that no row has; TryAgainError if the index was compacted. Nothing is deleted then
 */
export async function deleteIds(folder: string, generation: number, ids: Iterable<number>): Promise<number> {
  return whileChanging(folder, async () => {
    const file = await readIndexFile(folder);
    if (file.generation !== generation)
      throw new TryAgainError(`${folder}: was compacted meanwhile; run the command again`);
    const partitions = await settledPartitions(folder, file);
    const rows = partitions.reduce((sum, partition) => sum + partition.rows, 0);
    const deleted = await readTombstones(folder, file);
    const before = deleted.count;
    for (const id of ids) {
      if (!Number.isSafeInteger(id) || id < 0 || id >= rows)
        throw new InputError(`expected the id of a row, a whole number from 0 to ${rows - 1}, found ${id}`);
      deleted.add(id);
    }
    if (deleted.count > before)
      await writeWhole(join(folder, tombstonesName), [deleted.encode(generation, rows)]);
    return deleted.count - before;
  });
}
