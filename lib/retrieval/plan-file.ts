/**
 * A plan: the inputs of an index, listed once and divided into partitions. It is never changed; the SHA-256 of its bytes
 * names the work, so that every task of a job does the same.
 */
import type { Metadata } from "../features/features.ts";
import { JsonValue } from "../json/json-value.ts";
import { parseColumns, type ColumnInfo } from "./columns.ts";
import { assertFormat, parseMetadata } from "./index-file.ts";
import { mostPartitions } from "./layout.ts";

/** A file as it was when the plan was made. */
export interface PlannedFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** In whole milliseconds. */
  readonly mtime: number;
}

/** A partition's inputs: consecutive shards, or single images that a parquet file lists. */
export type PlannedPartition =
  | { readonly number: number; readonly images: number | null; readonly shards: readonly PlannedFile[] }
  | { readonly number: number; readonly images: number; readonly inputs: PlannedInputs };

/** A list of single images. */
export interface PlannedInputs {
  /** In the index folder. */
  readonly file: string;
  readonly sha256: string;
}

/** The content of a plan. */
export interface PlanFile {
  /** The sources as they were given. */
  readonly sources: readonly string[];
  /** The folder that relative paths start from. */
  readonly base: string;
  /** As in `IndexFile`. */
  readonly origin: Metadata;
  readonly textOrigin: Metadata | null;
  /** The backend whose bits the vectors have; "mixed" if any may be used. */
  readonly backend: string;
  /** Images per pass, which affects the last bits of vectors. */
  readonly batch: number;
  readonly columns: readonly ColumnInfo[];
  /** Whether some inputs replace earlier ones of the same path, whose rows are to be deleted. */
  readonly replaces: boolean;
  readonly partitions: readonly PlannedPartition[];
}

/** The backend of a plan whose tasks may use different ones. */
export const mixedBackends = "mixed";

const format = "clipscope-plan";
const version = 1;

/** The content of the file: the same bytes for the same plan. */
export function encodePlanFile(plan: PlanFile): string {
  const { sources, base, origin, textOrigin, backend, batch, columns, replaces, partitions } = plan;
  const head = {
    ...{ format, version, sources, base, origin, text_origin: textOrigin },
    ...{ backend, batch, columns, replaces },
  };
  const lines = partitions.map((partition) => JSON.stringify(partitionAsJson(partition)));
  const body = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n]`;
  return `${JSON.stringify(head).slice(0, -1)},"partitions":${body}}\n`;
}

function partitionAsJson(partition: PlannedPartition): unknown {
  const { number, images } = partition;
  return "inputs" in partition
    ? { number, images, inputs: partition.inputs }
    : { number, images, shards: partition.shards.map(({ path, size, mtime }) => [path, size, mtime]) };
}

/** @throws InputError for content that is not such a file */
export function decodePlanFile(json: string | Uint8Array, where: string): PlanFile {
  const file = JsonValue.parse(json, where);
  assertFormat(file, format, version);
  return {
    sources: file.at("sources").strings(),
    base: file.at("base").string(),
    origin: parseMetadata(file.at("origin")),
    textOrigin: file.at("text_origin").isMissing ? null : parseMetadata(file.at("text_origin")),
    backend: file.at("backend").string(),
    batch: file.at("batch").integer(1),
    columns: parseColumns(file.at("columns")),
    replaces: file.at("replaces").boolean(),
    partitions: file.at("partitions").items().map(parsePartition),
  };
}

function parsePartition(value: JsonValue): PlannedPartition {
  const number = value.at("number").integer(0, mostPartitions - 1);
  const inputs = value.at("inputs");
  if (!inputs.isMissing) {
    const images = value.at("images").integer(0);
    return {
      number,
      images,
      inputs: { file: inputs.at("file").string(), sha256: inputs.at("sha256").string() },
    };
  }
  const shards = value
    .at("shards")
    .items()
    .map((shard) => {
      const [path, size, mtime] = shard.items();
      if (path === undefined || size === undefined || mtime === undefined)
        throw shard.error("a path, a size and a time");
      return { path: path.string(), size: size.integer(0), mtime: mtime.integer(0) };
    });
  return { number, images: value.at("images").isMissing ? null : value.at("images").integer(0), shards };
}
