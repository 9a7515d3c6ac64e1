/** Spherical k-means over an index: rows are read from disk in each round, centroids are kept after each. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../../errors/input-error.ts";
import { ClusterMeans } from "../../../retrieval/clusters/cluster-means.ts";
import { NearestCentroids } from "../../../retrieval/clusters/nearest-centroids.ts";
import { seedCentroids } from "../../../retrieval/clusters/seed-centroids.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { scanKernel } from "../scan/scan-kernel.ts";
import { encodeSafetensors, SafetensorsFile } from "../../../tensor/safetensors.ts";
import { readFloat32 } from "../../../tensor/store.ts";
import { exists } from "../../files/exists.ts";
import { FileSource } from "../../files/file-source.ts";
import { makeFolder } from "../../files/make-folder.ts";
import { writeWhole } from "../../files/write-file.ts";
import { admittedBlocks } from "./admitted-blocks.ts";
import type { ComputedIndex } from "../searched-index.ts";

/** The settings of a run. */
export interface KMeansSettings {
  readonly clusters: number;
  /** Rounds at most. */
  readonly rounds: number;
  readonly seed: number;
  readonly side: Side;
}

/** Centroids after a round. */
export interface Centroids {
  /** [clusters, width], of norm 1 */
  readonly values: Float32Array;
  /** Rounds that were run. */
  readonly round: number;
  /** The mean similarity of rows to their centroids before the last round's update. */
  readonly objective: number;
  readonly isSettled: boolean;
}

/** Rows from which the first centroids are drawn. */
const fewestSeedRows = 10_000;
const seedRowsPerCluster = 20;
/** Bounds the memory of the draw: 400 MB with 1,024 numbers a row. */
const mostSeedNumbers = 1e8;

/** The rounds end when the mean similarity grows by less than this fraction of the distance to 1. */
const tolerance = 1e-4;

/**
 * Runs k-means. Interrupted, it continues with the round that was not finished, to the same result.
 *
 * @param ids of the rows, ascending, at least as many as clusters
 * @throws InputError for rows with numbers that are not finite
 */
export async function kMeans(
  index: ComputedIndex,
  ids: Float64Array,
  settings: KMeansSettings,
  onProgress: (done: number, total: number) => void,
): Promise<Centroids> {
  const { side, rounds } = settings;
  const state = index.isOwn ? new KMeansState(index, ids, settings) : null;
  let at = (await state?.read()) ?? (await firstCentroids(index, ids, settings));
  while (at.round < rounds && !at.isSettled) {
    const nearest = new NearestCentroids(scanKernel("auto"), at.values, index.width);
    const means = new ClusterMeans(nearest.count, index.width);
    let done = at.round * ids.length;
    for await (const { ids: some, values } of admittedBlocks(index, ids, side)) {
      for (const [i, found] of nearest.find(values).entries())
        means.add(some[i]!, values.subarray(i * index.width, (i + 1) * index.width), found);
      onProgress((done += some.length), rounds * ids.length);
    }
    const values = await means.centroids((id) => index.readRows([id], side));
    const isSame = values.every((value, i) => value === at.values[i]);
    const grown = means.objective - at.objective;
    const isSettled = isSame || (at.round > 0 && grown < tolerance * (1 - at.objective));
    at = { values, round: at.round + 1, objective: means.objective, isSettled };
    await state?.write(at);
  }
  return at;
}

async function firstCentroids(
  index: ComputedIndex,
  ids: Float64Array,
  { clusters, seed, side }: KMeansSettings,
): Promise<Centroids> {
  const { width, path } = index;
  const most = Math.max(clusters, Math.floor(mostSeedNumbers / width));
  const count = Math.min(ids.length, most, Math.max(fewestSeedRows, seedRowsPerCluster * clusters));
  const sample = Array.from({ length: count }, (_, i) => ids[Math.floor((i * ids.length) / count)]!);
  const rows = await index.readRows(sample, side);
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new InputError(`${path}: row ${sample[Math.floor(bad / width)]} has numbers that are not finite`);
  const chosen = seedCentroids(scanKernel("auto"), rows, width, clusters, seed);
  if (chosen.length < clusters) {
    throw new InputError(
      `cluster: expected ${clusters} different rows, found ${chosen.length}; ask for fewer clusters`,
    );
  }
  const values = new Float32Array(clusters * width);
  for (const [c, row] of chosen.entries()) {
    const vector = rows.subarray(row * width, (row + 1) * width);
    const norm = Math.hypot(...vector);
    for (let i = 0; i < width; i++) values[c * width + i] = vector[i]! / norm;
  }
  return { values, round: 0, objective: 0, isSettled: false };
}

/** The centroids of an unfinished run, in the index folder. */
export class KMeansState {
  readonly #folder: string;
  readonly #path: string;
  readonly #width: number;

  constructor(index: ComputedIndex, ids: Float64Array, { clusters, seed, side }: KMeansSettings) {
    const digest = createHash("sha256")
      .update(JSON.stringify([index.generation, index.width, clusters, seed, side]))
      .update(new Uint8Array(ids.buffer))
      .digest("hex");
    this.#folder = join(index.path, "clusters");
    this.#path = join(this.#folder, `${digest.slice(0, 16)}.safetensors`);
    this.#width = index.width;
  }

  async read(): Promise<Centroids | null> {
    if (!(await exists(this.#path))) return null;
    const file = await SafetensorsFile.open(await FileSource.open(this.#path));
    try {
      const values = await readFloat32(file, "centroids");
      const { round, objective, settled } = file.metadata;
      return { values, round: Number(round), objective: Number(objective), isSettled: settled === "true" };
    } finally {
      await file.close();
    }
  }

  async write({ values, round, objective, isSettled }: Centroids): Promise<void> {
    await makeFolder(this.#folder);
    const tensor = {
      ...{ name: "centroids", dtype: "F32" as const },
      shape: [values.length / this.#width, this.#width],
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
    const metadata = { round: `${round}`, objective: `${objective}`, settled: `${isSettled}` };
    await writeWhole(this.#path, [encodeSafetensors([tensor], metadata)]);
  }

  /** Deletes the states of all runs. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
