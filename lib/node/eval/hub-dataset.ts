/** Datasets of the hub, which evaluations read from its cache. */
import { collections } from "../../eval/collections.ts";
import { expandRoot, type FindDatasetOptions } from "../../eval/find-dataset.ts";
import type { PullDatasetOptions } from "../hub/pull-dataset.ts";

/** A dataset and where it is on this machine. */
export interface LocatedDataset {
  readonly dataset: string;
  readonly options: Pick<FindDatasetOptions, "data">;
}

/**
 * Downloads a dataset that is given by its address, or whose `data` is one (with `{dataset}` or `{dataset_cleaned}`). A
 * dataset that is in the cache is not downloaded again, and the hub is not asked. Others are returned as they are.
 *
 * @throws InputError as `pullDataset`
 */
export async function locateDataset(
  dataset: string,
  { data, split }: Pick<FindDatasetOptions, "data" | "split"> = {},
  options: Pick<PullDatasetOptions, "signal" | "onProgress" | "onWait" | "retryPolicy"> = {},
): Promise<LocatedDataset> {
  const isAddress = isUrl(dataset);
  const address = isAddress ? dataset : expandRoot(data ?? "", dataset);
  if (!isUrl(address)) return { dataset, options: {} };
  // Local datasets do not need the client of the hub.
  const { findCachedDataset, pullDataset } = await import("../hub/pull-dataset.ts");
  const { parseDatasetUrl } = await import("../hub/dataset-url.ts");
  const name = parseDatasetUrl(address);
  const splits = split === undefined ? {} : { splits: [split] };
  const folder =
    (await findCachedDataset(name, split)) ??
    (await pullDataset(name.repository, { ...options, ...splits, revision: name.revision })).folder;
  return { dataset: isAddress ? datasetName(name.repository) : dataset, options: { data: folder } };
}

function isUrl(text: string): boolean {
  return /^https?:\/\//.test(text);
}

/** CLIP_benchmark's name of a dataset that is published as `wds_NAME` with "-" for "/". */
function datasetName(repository: string): string {
  const cleaned = repository.split("/").at(-1)!.replace(/^wds_/, "");
  const known = collections["webdatasets"]!.map((item) => item.dataset);
  return known.find((name) => name.slice("wds/".length).replaceAll("/", "-") === cleaned) ?? `wds/${cleaned}`;
}
