/**
 * The files of results: CLIP_benchmark's JSON in a folder, and its details under the same name in `details`, since
 * CLIP_benchmark's `build` reads every JSON file of a folder.
 */
import { getBackend } from "@tensorflow/tfjs-core";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Evaluation } from "../../eval/evaluation.ts";
import { resultFileName, type ResultIdentity, type ResultRecord } from "../../eval/record.ts";
import { JsonValue } from "../../json/json-value.ts";
import { exists } from "../files/exists.ts";
import { makeFolder } from "../files/make-folder.ts";
import { writeTogether } from "../files/write-file.ts";
import { evaluationHost } from "./host.ts";

/** What is about one run and not about the result, and the figures, which are in the record. */
const unkept: readonly string[] = ["decoded", "texts", "metrics"] satisfies (keyof Evaluation)[];

/** Everything that is known about a result, in `details`. */
export interface ResultDetails extends Omit<Evaluation, "decoded" | "texts" | "metrics"> {
  readonly record: ResultRecord;
  /** See `evaluationFingerprint`. */
  readonly fingerprint: string;
  /** SHA-256 of the towers; see `modelDigest`. */
  readonly imageTowerSha256: string;
  readonly textTowerSha256: string;
  readonly backend: string;
  readonly madeBy: string;
}

/** Where a result's files are. */
export interface ResultFiles {
  readonly record: string;
  readonly details: string;
}

export function resultFiles(folder: string, identity: ResultIdentity): ResultFiles {
  const name = resultFileName(identity);
  return { record: join(folder, name), details: join(folder, "details", name) };
}

/**
 * A finished result with the same fingerprint; null if there is none. A process that was killed may have replaced the
 * details only, so the two files must agree.
 */
export async function findResult(files: ResultFiles, fingerprint: string): Promise<ResultDetails | null> {
  if (!(await exists(files.record)) || !(await exists(files.details))) return null;
  const details = JsonValue.parse(await readFile(files.details), files.details);
  if (details.at("fingerprint").value !== fingerprint) return null;
  const found = details.value as ResultDetails;
  return (await readFile(files.record, "utf8")) === recordText(found.record) ? found : null;
}

function recordText(record: ResultRecord): string {
  return `${JSON.stringify(record)}\n`;
}

/** Writes both files, or none. @throws InputError if they cannot be written */
export async function writeResult(
  files: ResultFiles,
  evaluation: Evaluation,
  record: ResultRecord,
  {
    fingerprint,
    digests,
  }: { readonly fingerprint: string; readonly digests: readonly [image: string, text: string] },
): Promise<void> {
  await makeFolder(dirname(files.details));
  const kept = Object.entries(evaluation).filter(([key]) => !unkept.includes(key));
  const details = {
    record,
    ...Object.fromEntries(kept),
    // The folder of features belongs to the machine, not to the result.
    featuresFile: evaluation.featuresFile && basename(evaluation.featuresFile),
    fingerprint,
    imageTowerSha256: digests[0],
    textTowerSha256: digests[1],
    backend: getBackend(),
    madeBy: evaluationHost.madeBy,
  };
  await writeTogether([files.details, files.record], async ([detailsFile, recordFile]) => {
    await detailsFile!.write(Buffer.from(`${JSON.stringify(details)}\n`));
    await recordFile!.write(Buffer.from(recordText(record)));
  });
}
