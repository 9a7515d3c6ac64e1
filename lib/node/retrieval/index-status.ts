/** The state of an index: what is committed, what is missing. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { PartitionEntry } from "../../retrieval/index-file.ts";
import type { Marker } from "../../retrieval/marker.ts";
import { readPlan } from "./read-plan.ts";
import { readIndexFile, readMarker, readTombstones, settledPartitions } from "./read-index-file.ts";
import { temporaryPattern } from "./new-file.ts";

export type PartitionState = "done" | "running" | "missing";

export interface PartitionStatus {
  readonly number: number;
  readonly state: PartitionState;
  /** Planned inputs, if they were counted. */
  readonly images: number | null;
  /** Null unless it is done. */
  readonly rows: number | null;
  readonly failed: number | null;
  readonly seconds: number | null;
}

/** Columns that were computed from the vectors. */
export interface ColumnSetStatus {
  readonly name: string;
  readonly columns: readonly string[];
  readonly description: string;
  /** Rows that have them, deleted ones included. */
  readonly rows: number;
}

export interface IndexStatus {
  readonly generation: number;
  readonly width: number;
  /** Rows that can be searched: those of settled partitions that are not deleted. */
  readonly rows: number;
  readonly deleted: number;
  readonly failed: number;
  readonly partitions: readonly PartitionStatus[];
  readonly columnSets: readonly ColumnSetStatus[];
  /** Images per second of the done partitions, one after the other; null if there are none with rows. */
  readonly imagesPerSecond: number | null;
}

/** @throws InputError if the folder is not an index, or a marker is damaged */
export async function indexStatus(folder: string): Promise<IndexStatus> {
  const index = await readIndexFile(folder);
  const running = await runningPartitions(folder);
  const partitions: PartitionStatus[] = [];
  const planned = new Map<number, { images: number | null; digest: string }>();
  for (const entry of index.plans) {
    if (entry.isCompacted) continue;
    for (const { number, images } of (await readPlan(folder, entry)).partitions)
      planned.set(number, { images, digest: entry.digest });
  }
  for (const { number } of index.partitions)
    if (!planned.has(number)) planned.set(number, { images: null, digest: "" });
  for (const [number, { images, digest }] of [...planned].sort(([a], [b]) => a - b)) {
    const marker = await readMarker(folder, number, digest === "" ? null : digest);
    partitions.push(statusOf(number, images, marker, running.has(number)));
  }
  const entries = await settledPartitions(folder, index);
  const rowsOf = (of: readonly PartitionEntry[]): number => of.reduce((sum, { rows }) => sum + rows, 0);
  const { count } = await readTombstones(folder, index);
  return {
    generation: index.generation,
    width: index.width,
    rows: rowsOf(entries) - count,
    deleted: count,
    failed: partitions.reduce((sum, of) => sum + (of.failed ?? 0), 0),
    partitions,
    columnSets: index.columnSets.map(({ name, columns, description, partitions: made }) => ({
      name,
      columns: columns.map((column) => column.name),
      description,
      rows: rowsOf(entries.filter(({ number }) => made.includes(number))),
    })),
    imagesPerSecond: rateOf(partitions),
  };
}

function rateOf(partitions: readonly PartitionStatus[]): number | null {
  let [rows, seconds] = [0, 0];
  for (const of of partitions) {
    if (of.seconds === null) continue;
    rows += of.rows ?? 0;
    seconds += of.seconds;
  }
  return rows > 0 && seconds > 0 ? rows / seconds : null;
}

function statusOf(
  number: number,
  images: number | null,
  marker: Marker | null,
  isRunning: boolean,
): PartitionStatus {
  if (marker === null) {
    const state = isRunning ? "running" : "missing";
    return { number, state, images, rows: null, failed: null, seconds: null };
  }
  const { rows, failed } = marker;
  // Compacted and adopted partitions were copied, which tells nothing about the speed of the network.
  const seconds = /^(compacted|adopted):/.test(marker.plan) ? null : marker.seconds;
  return { number, state: "done", images, rows, failed, seconds };
}

/** Partitions with temporary files: some process works on them, or was killed. */
async function runningPartitions(folder: string): Promise<Set<number>> {
  const names = await readdir(join(folder, "metadata")).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new InputError(`${join(folder, "metadata")}: cannot be read`, [], { cause: error });
  });
  const numbers = names
    .filter((name) => temporaryPattern.test(name))
    .flatMap((name) => /_(\d{6})\.parquet/.exec(name)?.[1] ?? []);
  return new Set(numbers.map(Number));
}
