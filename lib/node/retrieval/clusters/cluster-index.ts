/** Clusters of an index: columns, representatives, and a label for each cluster. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { tensor2d } from "@tensorflow/tfjs-core";
import { InputError } from "../../../errors/input-error.ts";
import { NearestCentroids } from "../../../retrieval/clusters/nearest-centroids.ts";
import { assertSetName, setFolder } from "../../../retrieval/column-sets.ts";
import type { ColumnInfo, MetadataRow } from "../../../retrieval/columns.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { TopRows, type ScoredRow } from "../../../retrieval/scan/top-rows.ts";
import { scanKernel } from "../scan/scan-kernel.ts";
import { zeroShotClassifier } from "../../../tasks/zero-shot.ts";
import { disposing } from "../../../tensor/disposing.ts";
import { encodeNpyHeader } from "../../../tensor/npy-header.ts";
import { writeWhole } from "../../files/write-file.ts";
import {
  assertGeneration,
  recipeOf,
  whileComputing,
  writeColumnSet,
  type NewColumnSet,
} from "../columns/write-column-set.ts";
import { rowsAdmitted } from "../duplicates/rows-admitted.ts";
import { assertModelOf, type LoadModel } from "../query-vectors.ts";
import { readIndexFile } from "../read-index-file.ts";
import type { ComputedIndex, IndexPartition } from "../searched-index.ts";
import { admittedBlocks } from "./admitted-blocks.ts";
import { kMeans, KMeansState } from "./k-means.ts";

/** Options of `OpenedIndex.cluster`. */
export interface ClusterOptions {
  /** Rounds at most. Default: 20. */
  readonly rounds?: number;
  /** Of the random numbers that choose the first centroids. Default: 0. */
  readonly seed?: number;
  /** What is clustered: the vectors of images (default) or of captions. */
  readonly side?: Side;
  /** Only the rows that fulfil a condition, as in queries. */
  readonly where?: string;
  /** Write columns: NAME (the number of the cluster), NAME.similarity (to its centroid), NAME.label with `labels`. */
  readonly as?: string;
  /** Texts in any language: each cluster gets the one that is nearest to its centroid. Needs a model. */
  readonly labels?: readonly string[];
  /** As of `zeroShotClassifier`. */
  readonly templates?: readonly string[];
  readonly model?: LoadModel;
  /** Rows of each cluster that represent it, at most. Default: 6. */
  readonly representatives?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A cluster. */
export interface Cluster {
  readonly number: number;
  readonly rows: number;
  /** The mean similarity of its rows to its centroid. */
  readonly similarity: number;
  readonly label: string | null;
  /** The rows nearest to the centroid, with their similarity to it, best first. */
  readonly representatives: readonly ScoredRow[];
}

/** What `OpenedIndex.cluster` found. */
export interface ClusterReport {
  readonly rows: number;
  readonly rounds: number;
  /** The mean similarity of all rows to their centroids. */
  readonly similarity: number;
  /** The largest first. */
  readonly clusters: readonly Cluster[];
  /** [clusters, width], of norm 1, in the order of the clusters */
  readonly centroids: Float32Array;
}

const defaultRounds = 20;
const defaultRepresentatives = 6;

/**
 * Divides the rows into clusters by spherical k-means.
 *
 * @param clusters how many, at most the number of rows
 * @throws InputError for options that do not fit, and for `as` in a folder that has no `index.json`
 */
export async function clusterIndex(
  index: ComputedIndex,
  clusters: number,
  options: ClusterOptions = {},
): Promise<ClusterReport> {
  const { as: name, labels, model } = options;
  if (name !== undefined) assertSetName(name);
  if (labels !== undefined && model === undefined)
    throw new InputError("cluster: labels need a model; pass one");
  if (!index.isOwn && name === undefined) return (await run(index, clusters, options)).report;
  return whileComputing(index, async () => {
    assertGeneration(index, await readIndexFile(index.path));
    const { report, assigned, state } = await run(index, clusters, options);
    if (name !== undefined) await writeClusters(index, name, report, assigned);
    await state.remove();
    return report;
  });
}

interface Run {
  readonly report: ClusterReport;
  readonly assigned: Assignment;
  readonly state: KMeansState;
}

/** The cluster of each row of an index. */
interface Assignment {
  /** By id; −1 for rows without a cluster. */
  readonly clusters: Int32Array;
  /** By id: to the centroid. */
  readonly similarities: Float32Array;
}

async function run(
  index: ComputedIndex,
  clusters: number,
  { side = "image", where, seed = 0, rounds = defaultRounds, ...options }: ClusterOptions,
): Promise<Run> {
  const { representatives = defaultRepresentatives, onProgress = () => undefined } = options;
  for (const [what, value, least] of [
    ["clusters", clusters, 1],
    ["rounds", rounds, 1],
    ["seed", seed, 0],
    ["representatives", representatives, 0],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new InputError(`cluster: ${what}: expected a whole number from ${least} on, found ${value}`);
  const ids = await rowsAdmitted(index, side, where);
  if (clusters > ids.length)
    throw new InputError(
      `cluster: expected at most ${ids.length} clusters, one for each row, found ${clusters}`,
    );
  const settings = { clusters, rounds, seed, side };
  const { values, round } = await kMeans(index, ids, settings, onProgress);
  const found = await assign(index, ids, side, values, representatives);
  const order = [...Array(clusters).keys()].sort((a, b) => found.counts[b]! - found.counts[a]! || a - b);
  const centroids = new Float32Array(values.length);
  for (const [to, from] of order.entries())
    centroids.set(values.subarray(from * index.width, (from + 1) * index.width), to * index.width);
  const names = await labelsOf(index, centroids, options);
  const report: ClusterReport = {
    rows: ids.length,
    rounds: round,
    similarity: found.sums.reduce((sum, of) => sum + of, 0) / ids.length,
    clusters: order.map((from, number) => ({
      number,
      rows: found.counts[from]!,
      similarity: found.counts[from] === 0 ? 0 : found.sums[from]! / found.counts[from]!,
      label: names?.[number] ?? null,
      representatives: found.best[from]!.rows(),
    })),
    centroids,
  };
  const places = new Int32Array(clusters);
  for (const [to, from] of order.entries()) places[from] = to;
  const assigned = { ...found, clusters: found.clusters.map((from) => (from === -1 ? -1 : places[from]!)) };
  return { report, assigned, state: new KMeansState(index, ids, settings) };
}

/** Assigns the rows to the final centroids. */
async function assign(
  index: ComputedIndex,
  ids: Float64Array,
  side: Side,
  values: Float32Array,
  representatives: number,
): Promise<
  Assignment & { readonly counts: Float64Array; readonly sums: Float64Array; readonly best: TopRows[] }
> {
  const nearest = new NearestCentroids(scanKernel("auto"), values, index.width);
  const clusters = new Int32Array(index.rows).fill(-1);
  const similarities = new Float32Array(index.rows);
  const [counts, sums] = [new Float64Array(nearest.count), new Float64Array(nearest.count)];
  const best = Array.from({ length: nearest.count }, () => new TopRows(representatives));
  for await (const block of admittedBlocks(index, ids, side)) {
    for (const [i, { cluster, similarity }] of nearest.find(block.values).entries()) {
      const id = block.ids[i]!;
      clusters[id] = cluster;
      similarities[id] = similarity;
      counts[cluster]! += 1;
      sums[cluster]! += similarity;
      if (similarity >= best[cluster]!.floor && representatives > 0) best[cluster]!.add(id, similarity);
    }
  }
  return { clusters, similarities, counts, sums, best };
}

/** The nearest label of each centroid; null without labels. */
async function labelsOf(
  index: ComputedIndex,
  centroids: Float32Array,
  { labels, templates = ["{}"], model }: Pick<ClusterOptions, "labels" | "templates" | "model">,
): Promise<string[] | null> {
  if (labels === undefined || model === undefined) return null;
  const clip = await model();
  await assertModelOf(index, clip);
  const classifier = await zeroShotClassifier(clip, labels, templates);
  try {
    const x = tensor2d(centroids, [centroids.length / index.width, index.width]);
    const logits = await disposing(x, () => classifier.logits(x));
    const scores = await disposing(logits, (tensor) => tensor.array());
    return scores.map((of) => labels[of.indexOf(Math.max(...of))]!);
  } finally {
    classifier.dispose();
  }
}

/** Rows that are written together. */
const rowsAtOnce = 1024;

async function writeClusters(
  index: ComputedIndex,
  name: string,
  { clusters, centroids }: ClusterReport,
  { clusters: of, similarities }: Assignment,
): Promise<void> {
  const hasLabels = clusters.some(({ label }) => label !== null);
  const label: ColumnInfo[] = hasLabels ? [{ name: `${name}.label`, type: "text" }] : [];
  const digest = createHash("sha256")
    .update(new Uint8Array(of.buffer))
    .update(new Uint8Array(centroids.buffer))
    .digest("hex");
  const set: NewColumnSet = {
    name,
    columns: [{ name, type: "integer" }, { name: `${name}.similarity`, type: "number" }, ...label],
    description: `${clusters.length} clusters`,
    settings: ["clusters", digest, JSON.stringify(clusters.map((cluster) => cluster.label))],
    backend: "none",
  };
  const rowOf = (id: number): MetadataRow => {
    const cluster = of[id]!;
    if (cluster === -1) return {};
    const row = { [name]: cluster, [`${name}.similarity`]: similarities[id]! };
    return hasLabels ? { ...row, [`${name}.label`]: clusters[cluster]!.label } : row;
  };
  function* rows({ firstId, rows: count }: IndexPartition): Generator<MetadataRow[], void, undefined> {
    for (let start = 0; start < count; start += rowsAtOnce)
      yield Array.from({ length: Math.min(rowsAtOnce, count - start) }, (_, i) => rowOf(firstId + start + i));
  }
  await writeColumnSet(index, set, rows, () => undefined);
  const header = encodeNpyHeader("<f4", [clusters.length, index.width]);
  const path = join(index.path, setFolder(name, recipeOf(set)), "centroids.npy");
  await writeWhole(path, [header, new Uint8Array(centroids.buffer)]);
}
