/** Search engines of other projects that an index can be written to. */
import type { MetadataRow } from "../../retrieval/columns.ts";
import type { OpenedIndex } from "./open-index.ts";

/** Rows for an engine. */
export interface EngineBatch {
  readonly ids: readonly number[];
  /** [ids, width], of unit length */
  readonly vectors: Float32Array;
  readonly rows: readonly MetadataRow[];
}

/** A table of an engine that is being written. */
export interface EngineTable {
  append(batch: EngineBatch): Promise<void>;
  /** Builds the engine's index over the rows. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Rows written together. */
const batchRows = 5000;

/**
 * Writes the rows of an index that are not deleted.
 *
 * @returns how many
 */
export async function exportRows(
  index: OpenedIndex,
  table: EngineTable,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  let written = 0;
  for (let start = 0; start < index.rows; start += batchRows) {
    const ids: number[] = [];
    for (let id = start; id < Math.min(start + batchRows, index.rows); id++)
      if (!index.deleted.has(id)) ids.push(id);
    if (ids.length > 0) {
      await table.append({
        ids,
        vectors: await index.readRows(ids),
        rows: await index.readMetadata(ids),
      });
    }
    written += ids.length;
    onProgress(Math.min(start + batchRows, index.rows), index.rows);
  }
  if (written > 0) await table.finish();
  return written;
}
