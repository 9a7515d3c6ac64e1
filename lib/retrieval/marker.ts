/** Commit markers: `stats/NNNNNN.json`, written last. A partition exists if its marker does. */
import { JsonValue } from "../json/json-value.ts";
import { assertFormat } from "./index-file.ts";
import { mostPartitions } from "./layout.ts";

/** A file of a partition, as it was written. */
export interface WrittenFile {
  /** In the index folder. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** The content of a partition's commit marker. */
export interface Marker {
  readonly number: number;
  /** The digest of the plan that it belongs to; of a compacted or adopted partition what made it. */
  readonly plan: string;
  readonly rows: number;
  /** Images that could not be read, and have no row. */
  readonly failed: number;
  /** None if the partition has no rows. */
  readonly files: readonly WrittenFile[];
  readonly backend: string;
  readonly madeBy: string;
  /** From the first image to the last file. */
  readonly seconds: number;
  /** When it was committed, as ISO 8601. */
  readonly finished: string;
}

const format = "clipscope-partition";
const version = 1;

/** The content of the file. */
export function encodeMarker(marker: Marker): string {
  const { number, plan, rows, failed, files, backend, madeBy, seconds, finished } = marker;
  const listed = Object.fromEntries(files.map(({ path, size, sha256 }) => [path, { size, sha256 }]));
  const head = { format, version, number, plan, rows, failed, backend, made_by: madeBy, seconds, finished };
  return `${JSON.stringify({ ...head, files: listed })}\n`;
}

/** @throws InputError for content that is not a marker */
export function decodeMarker(json: string | Uint8Array, where: string): Marker {
  const file = JsonValue.parse(json, where, {
    fix: "delete the file, and the partition is made again by clipscope index build",
  });
  assertFormat(file, format, version);
  return {
    number: file.at("number").integer(0, mostPartitions - 1),
    plan: file.at("plan").string(),
    rows: file.at("rows").integer(0),
    failed: file.at("failed").integer(0),
    files: file
      .at("files")
      .entries()
      .map(([path, of]) => ({ path, size: of.at("size").integer(0), sha256: of.at("sha256").string() })),
    backend: file.at("backend").string(),
    madeBy: file.at("made_by").string(),
    seconds: file.at("seconds").number(),
    finished: file.at("finished").string(),
  };
}
