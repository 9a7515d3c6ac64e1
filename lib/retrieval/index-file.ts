/** `index.json`: what an index folder holds, in which order. It is replaced as a whole, by a rename. */
import type { Metadata } from "../features/features.ts";
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { parseColumnSets, type ColumnSet } from "./column-sets.ts";
import { parseColumns, type ColumnInfo } from "./columns.ts";
import { mostPartitions } from "./layout.ts";

/** A partition that belongs to the index. */
export interface PartitionEntry {
  /** Names its files. Numbers ascend, with gaps where partitions were compacted. */
  readonly number: number;
  readonly rows: number;
}

/** A plan of the index, in the order in which its partitions follow. */
export interface PlanEntry {
  /** Its path in the index folder. */
  readonly file: string;
  /** The SHA-256 of the file, which names the work. */
  readonly digest: string;
  /** Its partitions' numbers: `count` of them from `first` on. */
  readonly first: number;
  readonly count: number;
  /** Whether its rows are in compacted partitions, which have other numbers. */
  readonly isCompacted: boolean;
}

/** The content of `index.json`. */
export interface IndexFile {
  /** Changes when rows get other ids. */
  readonly generation: number;
  /** Of every vector. */
  readonly width: number;
  /**
   * How the vectors of images were made: `model`, `model_sha256` (the image tower's fingerprint), `tap`, `normalized`,
   * `preprocess`, as in a features file. Keys that are not known are missing.
   */
  readonly origin: Metadata;
  /** How the vectors of captions were made; null if there are none. */
  readonly textOrigin: Metadata | null;
  /** Whether the origin was declared by whoever adopted the vectors, and not recorded by the program that made them. */
  readonly isAdopted: boolean;
  /** Those of the sources. */
  readonly columns: readonly ColumnInfo[];
  /** Those that were computed from the vectors. */
  readonly columnSets: readonly ColumnSet[];
  /** The folder that relative paths in the metadata start from. */
  readonly base: string;
  readonly plans: readonly PlanEntry[];
  /**
   * The partitions whose ids are settled: those of the plans up to the first that is not committed. Others may have been
   * committed since the file was written.
   */
  readonly partitions: readonly PartitionEntry[];
  /** The lowest number that no partition has had. */
  readonly next: number;
}

const format = "clipscope-index";
const version = 1;

/** The content of the file. */
export function encodeIndexFile(index: IndexFile): string {
  const { generation, width, origin, textOrigin, isAdopted, columns, columnSets } = index;
  const { base, plans, partitions, next } = index;
  const head = {
    format,
    version,
    generation,
    width,
    origin,
    text_origin: textOrigin,
    adopted: isAdopted,
    columns,
    column_sets: columnSets,
    base,
    plans: plans.map(({ isCompacted, ...plan }) => ({ ...plan, compacted: isCompacted })),
    next,
    rows: partitions.reduce((sum, { rows }) => sum + rows, 0),
    partitions: partitions.map(({ number, rows }) => [number, rows]),
  };
  return `${JSON.stringify(head)}\n`;
}

/** @throws InputError for content that is not such a file */
export function decodeIndexFile(json: string | Uint8Array, where: string): IndexFile {
  const file = JsonValue.parse(json, where);
  assertFormat(file, format, version);
  const index: IndexFile = {
    generation: file.at("generation").integer(0),
    width: file.at("width").integer(1, 2 ** 16),
    origin: parseMetadata(file.at("origin")),
    textOrigin: file.at("text_origin").isMissing ? null : parseMetadata(file.at("text_origin")),
    isAdopted: file.at("adopted").boolean(),
    columns: parseColumns(file.at("columns")),
    columnSets: parseColumnSets(file.at("column_sets")),
    base: file.at("base").string(),
    plans: file
      .at("plans")
      .items()
      .map((plan) => ({
        file: plan.at("file").string(),
        digest: plan.at("digest").string(),
        first: plan.at("first").integer(0, mostPartitions),
        count: plan.at("count").integer(0, mostPartitions),
        isCompacted: plan.at("compacted").boolean(),
      })),
    partitions: file
      .at("partitions")
      .items()
      .map((pair) => {
        const [number = -1, rows = -1] = pair.integers(0);
        return { number, rows };
      }),
    next: file.at("next").integer(0, mostPartitions),
  };
  assertAscending(index, where);
  return index;
}

/** A file that begins with its format's name. @throws InputError if it is another one, or of a later version */
export function assertFormat(file: JsonValue, name: string, latest: number): void {
  file.at("format").oneOf(name);
  const version = file.at("version").integer(1);
  if (version <= latest) return;
  throw new InputError(
    `${file.where}: expected version ${latest} of ${name}, found ${version}; install a newer clipscope`,
  );
}

/** An object of strings. */
export function parseMetadata(value: JsonValue): Metadata {
  return Object.fromEntries(value.entries().map(([key, text]) => [key, text.string()]));
}

function assertAscending({ partitions, next }: IndexFile, where: string): void {
  let previous = -1;
  for (const { number, rows } of partitions) {
    if (number > previous && rows >= 0 && number < next) {
      previous = number;
      continue;
    }
    throw new InputError(
      `${where}: expected ascending partitions below ${next}, each with its rows, found [${number}, ${rows}] after ${previous}`,
    );
  }
}
