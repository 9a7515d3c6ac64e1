/** Result files: the machine, the programs, and the tables with unrounded figures. */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../lib/errors/input-error.ts";
import type { Machine } from "./machine.ts";
import type { Table } from "./table.ts";

export const packageRoot = fileURLToPath(new URL("../../", import.meta.url));

export interface Result {
  readonly machine: Machine;
  /** The arguments of the run, after `npm run bench --`. */
  readonly arguments: readonly string[];
  /** Name → version or description of each measured program. */
  readonly programs: Readonly<Record<string, string>>;
  readonly tables: readonly Table[];
}

/** Writes a result into a folder that git ignores, named by the time. Returns its path. */
export async function writeResult(result: Result): Promise<string> {
  const folder = join(packageRoot, "bench/results");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${new Date().toISOString().replaceAll(":", "-")}.json`);
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** @throws InputError if the file is not a result file */
export function readResult(path: string): Result {
  let found: Partial<Result>;
  try {
    found = JSON.parse(readFileSync(path, "utf8")) as Partial<Result>;
  } catch (error) {
    throw new InputError(`${path}: expected a result of "npm run bench" (${(error as Error).message})`);
  }
  if (!Array.isArray(found.tables) || found.machine === undefined) {
    throw new InputError(`${path}: expected a result of "npm run bench", found other JSON`);
  }
  return found as Result;
}
