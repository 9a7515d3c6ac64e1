/** Checks the files of an index: sizes, digests, rows, and that the vectors are finite and of unit length. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { ColumnSet } from "../../retrieval/column-sets.ts";
import { markerPath, metadataPath, sides, vectorsPath } from "../../retrieval/layout.ts";
import type { Marker } from "../../retrieval/marker.ts";
import { exists } from "../files/exists.ts";
import { sha256OfFile } from "./new-file.ts";
import { readParquetFile } from "./parquet-file.ts";
import { readIndexFile, readMarker, settledPartitions } from "./read-index-file.ts";
import { readVectorFile, rowBlocks } from "./vector-file.ts";

export interface Problem {
  readonly partition: number;
  /** The file and what is wrong with it. */
  readonly problem: string;
}

export interface VerifyReport {
  readonly partitions: number;
  readonly rows: number;
  readonly problems: readonly Problem[];
}

/** How far the length of a vector may be from 1: float16 rounds each number by up to 2^-11 of it. */
const lengthTolerance = 2e-3;

/** Rows read together. */
const blockRows = 4096;

/**
 * Reads every file of the committed partitions.
 *
 * @param onProgress called with the partitions done
 * @throws InputError if the folder is not an index
 */
export async function verifyIndex(
  folder: string,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<VerifyReport> {
  const index = await readIndexFile(folder);
  const partitions = await settledPartitions(folder, index);
  const problems: Problem[] = [];
  let rows = 0;
  for (const [i, { number, rows: expected }] of partitions.entries()) {
    const report = (problem: string): void => void problems.push({ partition: number, problem });
    await attempt(report, async () => {
      const marker = await readMarker(folder, number, null);
      if (marker === null) report("its marker is missing");
      else if (marker.rows !== expected)
        report(`index.json lists ${expected} rows, its marker ${marker.rows}`);
      else await verifyFiles(folder, marker, report);
    });
    if (expected > 0) await verifyContent(folder, number, expected, index.width, report);
    for (const set of index.columnSets)
      if (set.partitions.includes(number)) await verifySet(folder, set, number, expected, report);
    rows += expected;
    onProgress(i + 1, partitions.length);
  }
  return { partitions: partitions.length, rows, problems };
}

type Report = (problem: string) => void;

async function attempt(report: Report, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    report(error.message);
  }
}

async function verifyFiles(folder: string, { files }: Marker, report: Report): Promise<void> {
  for (const { path, size, sha256 } of files) {
    const place = join(folder, path);
    const found = await stat(place).catch(() => null);
    if (found === null) report(`${path}: missing`);
    else if (found.size !== size) report(`${path}: expected ${size} bytes, found ${found.size}`);
    else if (sha256 !== "" && (await sha256OfFile(place)) !== sha256)
      report(`${path}: its content is not what was written`);
  }
}

async function verifySet(
  folder: string,
  { folder: of }: ColumnSet,
  number: number,
  rows: number,
  report: Report,
): Promise<void> {
  const reportHere = (problem: string): void => {
    report(problem.startsWith(folder) ? problem : join(of, problem));
  };
  await attempt(reportHere, async () => {
    const marker = await readMarker(join(folder, of), number, null);
    if (marker === null) reportHere(`${markerPath(number)}: missing`);
    else if (marker.rows !== rows)
      reportHere(`${markerPath(number)}: expected ${rows} rows, found ${marker.rows}`);
    else await verifyFiles(join(folder, of), marker, reportHere);
  });
}

async function verifyContent(
  folder: string,
  number: number,
  rows: number,
  width: number,
  report: Report,
): Promise<void> {
  for (const side of sides) {
    const path = vectorsPath(side, number);
    if (!(await exists(join(folder, path)))) continue;
    await attempt(report, async () => {
      const vectors = await readVectorFile(join(folder, path));
      if (vectors.rows !== rows || vectors.width !== width) {
        report(
          `${path}: expected ${rows} rows of ${width} numbers, found ${vectors.rows} of ${vectors.width}`,
        );
        return;
      }
      for await (const { start, values } of rowBlocks(vectors, blockRows)) {
        const bad = badRow(values, width, side === "text");
        if (bad === null) continue;
        report(`${path}: row ${start + bad.row}: ${bad.reason}`);
        return;
      }
    });
  }
  await attempt(report, async () => {
    const path = join(folder, metadataPath(number));
    if (!(await exists(path))) return;
    const { rows: found } = await readParquetFile(path);
    if (found !== rows) report(`${metadataPath(number)}: expected ${rows} rows, found ${found}`);
  });
}

/** @param mayBeZero rows without a caption are zeros */
function badRow(
  values: Float32Array,
  width: number,
  mayBeZero: boolean,
): { readonly row: number; readonly reason: string } | null {
  for (let row = 0; row < values.length / width; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += values[i]! * values[i]!;
    const length = Math.sqrt(squares);
    if (!Number.isFinite(length)) return { row, reason: "has numbers that are not finite" };
    if (Math.abs(length - 1) > lengthTolerance && !(mayBeZero && length === 0))
      return { row, reason: `expected the length 1, found ${length.toPrecision(4)}` };
  }
  return null;
}
