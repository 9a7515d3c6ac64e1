/**
 * The inputs that were pruned because their files had vanished: `pruned/NNNNNN.jsonl`, a line of path, size and time for
 * each. The number is that of the next partition then, so that an input which is added again counts again.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { compareCodePoints } from "../../features/code-points.ts";
import { JsonValue } from "../../json/json-value.ts";
import { partitionName } from "../../retrieval/layout.ts";
import { makeFolder } from "../files/make-folder.ts";
import { writeWhole } from "../files/write-file.ts";
import { inputKey } from "./input-key.ts";

const subfolder = "pruned";

export interface Pruned {
  /** The number of the next partition at that time. */
  readonly before: number;
  /** As `inputKey` makes them. */
  readonly keys: readonly string[];
}

export interface PrunedInput {
  readonly path: string;
  readonly size: number | null;
  readonly mtime: number | null;
}

/** In the order in which they were pruned. */
export async function readPruned(folder: string): Promise<Pruned[]> {
  const names = await readdir(join(folder, subfolder)).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  });
  const found: Pruned[] = [];
  for (const name of names.filter((one) => /^\d{6}\.jsonl$/.test(one)).sort(compareCodePoints)) {
    const path = join(folder, subfolder, name);
    const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
    const keys = lines.map((line) => {
      const [file, size, mtime] = JsonValue.parse(line, path).items();
      return inputKey(
        file!.string(),
        size!.isMissing ? null : size!.integer(0),
        mtime!.isMissing ? null : mtime!.integer(0),
      );
    });
    found.push({ before: Number(name.slice(0, 6)), keys });
  }
  return found;
}

/** @param next the number of the next partition */
export async function writePruned(
  folder: string,
  next: number,
  inputs: readonly PrunedInput[],
): Promise<void> {
  await makeFolder(join(folder, subfolder));
  const path = join(folder, subfolder, `${partitionName(next)}.jsonl`);
  const before = await readFile(path, "utf8").catch(() => "");
  const lines = inputs.map(({ path: file, size, mtime }) => `${JSON.stringify([file, size, mtime])}\n`);
  await writeWhole(path, [new TextEncoder().encode(before + lines.join(""))]);
}
