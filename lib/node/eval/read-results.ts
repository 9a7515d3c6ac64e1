/** Reads a folder of results: CLIP_benchmark's JSON files, with clipscope's details beside them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { compareWithPublished, type PublishedFigure } from "../../eval/published.ts";
import { readEvaluation } from "../../eval/report/read-evaluation.ts";
import { readRecord } from "../../eval/report/read-record.ts";
import type { ReportedResult } from "../../eval/report/reported-result.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { exists } from "../files/exists.ts";
import { unreadable } from "../files/file-source.ts";

/**
 * @param published figures to compare with; partial results are not compared
 * @param tolerance instead of the sources' own
 * @returns results in the order of their file names
 * @throws InputError for a folder without results, and for a JSON file that is not one
 */
export async function readResults(
  folder: string,
  published: readonly PublishedFigure[],
  tolerance?: number,
): Promise<ReportedResult[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const files = names.filter((name) => name.endsWith(".json")).toSorted(compareCodePoints);
  if (files.length === 0) {
    throw new InputError(
      `${folder}: expected JSON files of results, found none; write some with "eval --out"`,
    );
  }
  const results: ReportedResult[] = [];
  for (const file of files) {
    const path = join(folder, file);
    const record = readRecord(await readText(path), path);
    const details = join(folder, "details", file);
    const evaluation = (await exists(details)) ? readEvaluation(await readText(details), details) : null;
    const comparisons =
      record.partial === true
        ? []
        : compareWithPublished(record, published, {
            images: evaluation?.images ?? Infinity,
            ...(tolerance === undefined ? {} : { tolerance }),
          });
    results.push({ file, record, evaluation, comparisons });
  }
  return results;
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(path, error);
  });
}
