/**
 * LanceDB's packages, which users install themselves: they take 190 MB. They are found beside this package, or from the
 * current folder.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../../errors/input-error.ts";

/** The parts of the packages that are used. */
export interface Lance {
  connect(uri: string): Promise<LanceDatabase>;
  readonly Index: { ivfRq(options: { readonly distanceType: "cosine" }): unknown };
}

export interface LanceDatabase {
  tableNames(): Promise<string[]>;
  createEmptyTable(name: string, schema: object): Promise<LanceTable>;
  openTable(name: string): Promise<LanceTable>;
}

export interface LanceTable {
  add(rows: readonly object[]): Promise<unknown>;
  countRows(): Promise<number>;
  createIndex(column: string, options: { readonly config: unknown }): Promise<unknown>;
  schema(): Promise<LanceSchema>;
  query(): LanceQuery;
  vectorSearch(vector: Float32Array): LanceVectorQuery;
  close(): void;
}

export interface LanceSchema {
  readonly fields: readonly { readonly name: string; readonly type: { toString(): string } }[];
  readonly metadata: ReadonlyMap<string, string>;
}

export interface LanceQuery {
  where(sql: string): this;
  select(fields: readonly string[]): this;
  limit(count: number): this;
  toArray(): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface LanceVectorQuery extends LanceQuery {
  column(name: string): this;
  distanceType(type: "cosine"): this;
  nprobes(count: number): this;
  refineFactor(factor: number): this;
  bypassVectorIndex(): this;
  distanceRange(lower: number | undefined, upper: number): this;
}

type ArrowType = new (...args: readonly unknown[]) => object;

/** LanceDB's own peer. */
export type Arrow = Readonly<
  Record<"Schema" | "Field" | "FixedSizeList" | "Float32" | "Float64" | "Int64" | "Bool" | "Utf8", ArrowType>
>;

/** @throws InputError if the package is not installed */
export async function loadLance(): Promise<Lance> {
  // It writes warnings to standard error; read when it is loaded.
  process.env["RUST_LOG"] ??= "error";
  return (await load("@lancedb/lancedb")) as Lance;
}

/** @throws InputError if the package is not installed */
export async function loadArrow(): Promise<Arrow> {
  return (await load("apache-arrow")) as Arrow;
}

async function load(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch {
    // Not beside this package, as where it is installed globally.
  }
  try {
    const path = createRequire(join(process.cwd(), "package.json")).resolve(name);
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    throw new InputError(
      `lancedb: the package ${name} is not installed; run "npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0"`,
      [],
      { cause },
    );
  }
}
