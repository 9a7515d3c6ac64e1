/** Adds what is new or changed in sources to an index. */
import { buildIndex, type BuildOptions, type BuildReport } from "./build-index.ts";
import { deleteRows } from "./delete-rows.ts";
import { knownInputs } from "./known-inputs.ts";
import { planAddition, type PlanOptions } from "./plan-index.ts";
import { readIndexFile } from "./read-index-file.ts";
import { readPlan } from "./read-plan.ts";
import { supersededRows } from "./superseded.ts";

export interface AddReport extends BuildReport {
  /** Rows of changed images, which new ones replace. */
  readonly replaced: number;
}

/**
 * Finishes what is planned, plans the inputs that the index does not have, embeds them, and deletes the rows that they
 * replace. Repeated after an interruption, it continues.
 */
export async function addToIndex(
  folder: string,
  sources: readonly string[],
  options: BuildOptions & { readonly plan: Omit<PlanOptions, "captions" | "exifOrientation"> },
): Promise<AddReport> {
  const finished = await buildIndex(folder, options);
  let replaced = await deleteReplaced(folder);
  const known = await knownInputs(folder, await readIndexFile(folder));
  const made = await planAddition(folder, sources, await options.loadModel(), known, options.plan);
  if (made === null) return { ...finished, skipped: 0, replaced };
  const added = await buildIndex(folder, options);
  replaced += await deleteReplaced(folder);
  return {
    built: finished.built + added.built,
    skipped: 0,
    left: added.left,
    rows: finished.rows + added.rows,
    failed: finished.failed + added.failed,
    seconds: finished.seconds + added.seconds,
    replaced,
  };
}

/** Deletes what the last plan replaces; nothing if that was done before. */
async function deleteReplaced(folder: string): Promise<number> {
  const last = (await readIndexFile(folder)).plans.at(-1);
  if (last === undefined || last.isCompacted || !(await readPlan(folder, last)).replaces) return 0;
  return deleteRows(folder, (index) => supersededRows(folder, index, last));
}
