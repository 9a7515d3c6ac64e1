/**
 * LanceDB as the engine for collections beyond one machine. It is no dependency: its 190 MB are installed by those who
 * use it (`npm install @lancedb/lancedb@0.31.0`).
 *
 * Vectors are stored as float32: on x86 LanceDB searches float16 more slowly. The index is IVF_RQ by cosine; its flat and
 * HNSW indexes with `dot` give wrong neighbours for quantised vectors (lance issue 7352).
 */
import { InputError } from "../../errors/input-error.ts";
import type { EngineBatch, EngineTable } from "./engine.ts";

/** The parts of the package that are used. */
interface Lance {
  connect(uri: string): Promise<{
    tableNames(): Promise<string[]>;
    createTable(name: string, rows: readonly object[]): Promise<LanceTable>;
  }>;
  readonly Index: { ivfRq(options: { readonly distanceType: "cosine" }): unknown };
}

interface LanceTable {
  add(rows: readonly object[]): Promise<unknown>;
  countRows(): Promise<number>;
  createIndex(column: string, options: { readonly config: unknown }): Promise<unknown>;
  close(): void;
}

/** From this many rows on LanceDB gets an index; below, its exact search is fast enough. */
const indexedFrom = 10_000;

/** @throws InputError if the package is not installed */
async function loadLance(): Promise<Lance> {
  const name = "@lancedb/lancedb";
  try {
    return (await import(name)) as Lance;
  } catch (cause) {
    throw new InputError(
      `lancedb: the package ${name} is not installed; run "npm install ${name}@0.31.0"`,
      [],
      { cause },
    );
  }
}

/**
 * Creates a table.
 *
 * @param uri a folder, or s3://…
 * @throws InputError if LanceDB is not installed, or the table exists
 */
export async function createLanceTable(uri: string, name: string): Promise<EngineTable> {
  const lance = await loadLance();
  const database = await lance.connect(uri);
  if ((await database.tableNames()).includes(name))
    throw new InputError(`lancedb:${uri}: has a table ${name} already; choose another one with --table`);
  let table: LanceTable | null = null;
  return {
    append: async (batch) => {
      const rows = recordsOf(batch);
      if (table === null) table = await database.createTable(name, rows);
      else await table.add(rows);
    },
    finish: async () => {
      if (table === null || (await table.countRows()) < indexedFrom) return;
      await table.createIndex("vector", { config: lance.Index.ivfRq({ distanceType: "cosine" }) });
    },
    close: () => {
      table?.close();
      return Promise.resolve();
    },
  };
}

function recordsOf({ ids, vectors, rows }: EngineBatch): object[] {
  const width = vectors.length / ids.length;
  return ids.map((id, i) => ({
    id,
    vector: Array.from(vectors.subarray(i * width, (i + 1) * width)),
    ...rows[i],
  }));
}
