/**
 * LanceDB as the engine for collections beyond one machine. It is no dependency: its 190 MB are installed by those who
 * use it (`npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0`).
 *
 * Vectors are stored as float32: on x86 LanceDB searches float16 more slowly. The index is IVF_RQ by cosine; its flat and
 * HNSW indexes with `dot` give wrong neighbours for quantised vectors (lance issue 7352).
 */
import { InputError } from "../../errors/input-error.ts";
import type { ColumnInfo } from "../../retrieval/columns.ts";
import type { EngineBatch, EngineTable } from "./engine.ts";
import type { OpenedIndex } from "./open-index.ts";

/** The parts of the packages that are used. */
interface Lance {
  connect(uri: string): Promise<{
    tableNames(): Promise<string[]>;
    createEmptyTable(name: string, schema: object): Promise<LanceTable>;
  }>;
  readonly Index: { ivfRq(options: { readonly distanceType: "cosine" }): unknown };
}

interface LanceTable {
  add(rows: readonly object[]): Promise<unknown>;
  countRows(): Promise<number>;
  createIndex(column: string, options: { readonly config: unknown }): Promise<unknown>;
  close(): void;
}

type ArrowType = new (...args: readonly unknown[]) => object;

/** LanceDB's own peer. */
type Arrow = Readonly<
  Record<"Schema" | "Field" | "FixedSizeList" | "Float32" | "Float64" | "Int64" | "Bool" | "Utf8", ArrowType>
>;

/** From this many rows on LanceDB gets an index; below, its exact search is fast enough. */
const indexedFrom = 10_000;

/** @throws InputError if the package is not installed */
async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (cause) {
    throw new InputError(
      `lancedb: the package ${name} is not installed; run "npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0"`,
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
export async function createLanceTable(
  uri: string,
  name: string,
  { width, columns }: Pick<OpenedIndex, "width" | "columns">,
): Promise<EngineTable> {
  const lance = (await load("@lancedb/lancedb")) as Lance;
  const arrow = (await load("apache-arrow")) as Arrow;
  const database = await lance.connect(uri);
  if ((await database.tableNames()).includes(name))
    throw new InputError(`lancedb:${uri}: has a table ${name} already; choose another one with --table`);
  const table = await database.createEmptyTable(name, schemaOf(arrow, width, columns));
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

/** Explicit, because LanceDB cannot infer the type of a column that begins with nulls. */
function schemaOf(arrow: Arrow, width: number, columns: readonly ColumnInfo[]): object {
  const types = { text: arrow.Utf8, integer: arrow.Int64, number: arrow.Float64, boolean: arrow.Bool };
  const item = new arrow.Field("item", new arrow.Float32(), true);
  return new arrow.Schema([
    new arrow.Field("id", new arrow.Int64(), false),
    new arrow.Field("vector", new arrow.FixedSizeList(width, item), false),
    ...columns.map(({ name, type }) => new arrow.Field(fieldName(name), new types[type](), true)),
  ]);
}

/** LanceDB reads a dot as a field of a structure. */
function fieldName(column: string): string {
  return column.replaceAll(".", "_");
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
