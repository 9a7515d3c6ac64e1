/** Reads the plans of an index. */
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { sha256 } from "../../features/digest.ts";
import type { PlanEntry } from "../../retrieval/index-file.ts";
import { decodePlanFile, type PlanFile } from "../../retrieval/plan-file.ts";
import { readWhole } from "../files/file-source.ts";

/** In bytes: a million shards take 150 MB. */
const largestPlan = 2 ** 29;

/** @throws InputError if the file is missing, or was changed since it was made */
export async function readPlan(folder: string, entry: PlanEntry): Promise<PlanFile> {
  const path = join(folder, entry.file);
  const bytes = new Uint8Array(await readWhole(path, largestPlan));
  if ((await sha256(bytes)) === entry.digest) return decodePlanFile(bytes, path);
  throw new InputError(
    `${path}: was changed since it was made; bring it back, or plan again in another folder`,
  );
}
