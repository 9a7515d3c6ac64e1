/** Shards of a plan: their sizes, how many samples they have, and the columns of their samples. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { JsonValue } from "../../json/json-value.ts";
import type { ColumnTypes } from "../../retrieval/column-types.ts";
import type { PlannedFile } from "../../retrieval/plan-file.ts";
import { exists } from "../files/exists.ts";
import { FileSource, readWhole, unreadable } from "../files/file-source.ts";
import { listSamples } from "../images/webdataset.ts";
import { flattenText } from "./planned-images.ts";

/** @throws InputError if it is missing */
export async function plannedShard(path: string, base: string): Promise<PlannedFile> {
  const { size, mtimeMs } = await stat(resolve(base, path)).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return { path, size, mtime: Math.floor(mtimeMs) };
}

/**
 * The number of samples: from img2dataset's `NAME_stats.json` beside the shard, else counted in the tar's headers.
 *
 * @returns null if the tar is damaged: its partition reports that
 */
export async function countSamples(path: string, base: string): Promise<number | null> {
  const place = resolve(base, path);
  const stats = `${place.replace(/\.tar$/i, "")}_stats.json`;
  if (await exists(stats)) {
    const successes = JsonValue.parse(await readWhole(stats, 2 ** 20), stats).at("successes");
    if (!successes.isMissing) return successes.integer(0);
  }
  try {
    let count = 0;
    for (const sample of await listSamples(place, () => undefined)) if (sample.key !== "") count += 1;
    return count;
  } catch {
    return null;
  }
}

/** Documents that are read for their columns. */
const inspected = 1000;

/** In bytes. */
export const longestDocument = 2 ** 20;

/** Learns the columns of the first samples of a shard. */
export async function inspectShard(path: string, base: string, types: ColumnTypes): Promise<void> {
  const place = resolve(base, path);
  const file = await FileSource.open(place);
  try {
    let left = inspected;
    for (const { parts } of await listSamples(place, () => undefined)) {
      const json = parts.get("json");
      if (json !== undefined && json.size <= longestDocument) {
        types.add(flattenText(Buffer.from(file.readSync(json.offset, json.size)).toString()));
      }
      if (--left === 0) return;
    }
  } finally {
    await file.close();
  }
}
