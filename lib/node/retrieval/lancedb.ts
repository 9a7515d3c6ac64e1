/**
 * LanceDB as the engine for collections beyond one machine.
 *
 * Vectors are stored as float32: on x86 LanceDB searches float16 more slowly. The index is IVF_RQ by cosine; its flat and
 * HNSW indexes with `dot` give wrong neighbours for quantised vectors (lance issue 7352).
 */
import { InputError } from "../../errors/input-error.ts";
import type { ColumnInfo } from "../../retrieval/columns.ts";
import type { EngineBatch, EngineTable } from "./engine.ts";
import { loadArrow, loadLance } from "./lance-package.ts";
import { fieldName, lanceSchema } from "./lance-schema.ts";
import type { OpenedIndex } from "./open-index.ts";

/** From this many rows on LanceDB gets an index; below, its exact search is fast enough. */
const indexedFrom = 10_000;

/**
 * Creates a table.
 *
 * @param uri a folder, or s3://…
 * @throws InputError if LanceDB is not installed, or the table exists
 */
export async function createLanceTable(
  uri: string,
  name: string,
  { width, columns, origin, base }: Pick<OpenedIndex, "width" | "columns" | "origin" | "base">,
): Promise<EngineTable> {
  const [lance, arrow] = [await loadLance(), await loadArrow()];
  const database = await lance.connect(uri);
  if ((await database.tableNames()).includes(name))
    throw new InputError(`lancedb:${uri}: has a table ${name} already; choose another one with --table`);
  const schema = lanceSchema(arrow, width, { ...origin, base, columns });
  const table = await database.createEmptyTable(name, schema);
  return {
    append: async (batch) => {
      await table.add(recordsOf(batch, columns));
    },
    finish: async () => {
      if ((await table.countRows()) < indexedFrom) return;
      await table.createIndex("vector", { config: lance.Index.ivfRq({ distanceType: "cosine" }) });
    },
    close: () => {
      table.close();
      return Promise.resolve();
    },
  };
}

function recordsOf({ ids, vectors, rows }: EngineBatch, columns: readonly ColumnInfo[]): object[] {
  const width = vectors.length / ids.length;
  return ids.map((id, i) => ({
    id: BigInt(id),
    vector: Array.from(vectors.subarray(i * width, (i + 1) * width)),
    ...Object.fromEntries(
      columns.map(({ name, type }) => {
        const cell = rows[i]![name] ?? null;
        return [fieldName(name), type === "integer" && cell !== null ? BigInt(Number(cell)) : cell];
      }),
    ),
  }));
}
