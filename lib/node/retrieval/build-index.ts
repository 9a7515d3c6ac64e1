/** Builds the partitions of an index that are planned and not committed. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";
import type { Marker } from "../../retrieval/marker.ts";
import { mixedBackends, type PlanFile, type PlannedPartition } from "../../retrieval/plan-file.ts";
import { owns, type Task } from "../../retrieval/task.ts";
import { buildPartition } from "./build-partition.ts";
import { publish } from "./change-index.ts";
import { takeLease, type Lease } from "./lease.ts";
import { removeDeadTemporaries } from "./new-file.ts";
import { assertIndexModel } from "./plan-index.ts";
import { readPlan } from "./read-plan.ts";
import { readIndexFile, readMarker } from "./read-index-file.ts";

export interface BuildOptions {
  /** Default: all partitions. */
  readonly task?: Task;
  /** After its own partitions, a task does those that no other one works on. */
  readonly steal?: boolean;
  readonly workers?: number;
  /** Loads the model; called if there is something to do. Disposed by the caller. */
  readonly loadModel: () => Promise<Clip>;
  /** Receives the reason for each image that gets no row. */
  readonly onFailed: (message: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
  /** Called after each partition. */
  readonly onPartition?: (marker: Marker) => void;
}

export interface BuildReport {
  /** Partitions that this run committed, and those that had been. */
  readonly built: number;
  readonly skipped: number;
  /** Partitions that other tasks own or work on. */
  readonly left: number;
  readonly rows: number;
  readonly failed: number;
  readonly seconds: number;
}

interface Work {
  readonly plan: PlanFile;
  readonly digest: string;
  readonly partition: PlannedPartition;
  readonly isOwn: boolean;
}

/**
 * Embeds what is planned and not committed. Called again, it continues with the partition that was interrupted.
 *
 * @throws InputError if the plan is of another model or backend, or no image of a partition with images is readable;
 *   TryAgainError for a condition that may pass
 */
export async function buildIndex(folder: string, options: BuildOptions): Promise<BuildReport> {
  const started = performance.now();
  const index = await readIndexFile(folder);
  await removeDeadTemporaries(folder);
  const { works, skipped, total } = await pendingWork(folder, options);
  const report = { built: 0, skipped, rows: 0, failed: 0 };
  const own = works.filter(({ isOwn }) => isOwn);
  const others = options.steal === true ? works.filter(({ isOwn }) => !isOwn) : [];
  let model: Clip | null = null;
  let before = 0;
  for (const work of [...own, ...others]) {
    const lease = await leaseFor(folder, work, options);
    if (lease === null) continue;
    try {
      // Another task may have done it meanwhile.
      if (await isCommitted(folder, work.partition.number, work.digest)) continue;
      if (model === null) {
        model = await options.loadModel();
        await assertIndexModel(folder, { ...work.plan, width: index.width }, model);
        assertBackend(work.plan, folder);
      }
      const marker = await buildPartition(model, {
        folder,
        ...work,
        ...(options.workers !== undefined && { workers: options.workers }),
        onFailed: options.onFailed,
        onProgress: (done) => options.onProgress?.(before + done, total),
        mayCommit: () => assertSameGeneration(folder, index.generation),
      });
      before += work.partition.images ?? marker.rows + marker.failed;
      report.built += 1;
      report.rows += marker.rows;
      report.failed += marker.failed;
      options.onPartition?.(marker);
    } finally {
      await lease.release();
    }
    await publish(folder);
  }
  await publish(folder);
  const planned = index.plans.reduce((sum, plan) => sum + (plan.isCompacted ? 0 : plan.count), 0);
  return {
    ...report,
    left: planned - report.built - skipped,
    seconds: Number(((performance.now() - started) / 1000).toFixed(3)),
  };
}

const noLease: Lease = { release: () => Promise.resolve() };

function leaseFor(folder: string, { partition }: Work, { steal }: BuildOptions): Promise<Lease | null> {
  return steal === true ? takeLease(folder, partition.number) : Promise.resolve(noLease);
}

/** What is planned and not committed, and how many inputs that are. */
async function pendingWork(
  folder: string,
  { task, steal }: BuildOptions,
): Promise<{ works: Work[]; skipped: number; total: number }> {
  const index = await readIndexFile(folder);
  const works: Work[] = [];
  let skipped = 0;
  let total = 0;
  for (const entry of index.plans) {
    if (entry.isCompacted) continue;
    const isDone = (index.partitions.at(-1)?.number ?? -1) >= entry.first + entry.count - 1;
    if (isDone && task === undefined) {
      skipped += entry.count;
      continue;
    }
    const plan = await readPlan(folder, entry);
    for (const partition of plan.partitions) {
      const isOwn = task === undefined || owns(task, partition.number);
      if (!isOwn && steal !== true) continue;
      if (await isCommitted(folder, partition.number, entry.digest)) {
        skipped += 1;
        continue;
      }
      works.push({ plan, digest: entry.digest, partition, isOwn });
      total += partition.images ?? 0;
    }
  }
  return { works, skipped, total };
}

/** A marker counts only if the files have the sizes that it lists. */
async function isCommitted(folder: string, number: number, digest: string): Promise<boolean> {
  const marker = await readMarker(folder, number, digest);
  if (marker === null) return false;
  for (const { path, size } of marker.files) {
    const found = await stat(join(folder, path)).catch(() => null);
    if (found?.size !== size) return false;
  }
  return true;
}

function assertBackend({ backend }: PlanFile, folder: string): void {
  const current = getBackend();
  if (backend === mixedBackends || backend === current) return;
  throw new InputError(
    `${folder}: planned for the backend ${backend}, found ${current}; use --backend ${backend}, or plan with --backend auto`,
  );
}

async function assertSameGeneration(folder: string, generation: number): Promise<void> {
  const now = await readIndexFile(folder);
  if (now.generation === generation) return;
  throw new TryAgainError(
    `${folder}: was compacted while this task ran; its partition is in the index already`,
  );
}
