/**
 * Downloads a WebDataset of the hub to its cache: the texts beside the splits, and the shards of the splits that are asked
 * for. CLIP_benchmark's datasets are in `clip-benchmark/wds_NAME`.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getHFHubCachePath } from "@huggingface/hub";
import { InputError } from "../../errors/input-error.ts";
import { exists } from "../files/exists.ts";
import { explainWriting } from "../files/output-path.ts";
import { assertRevision, CachedRepository, isRepositoryName, type HubName } from "./cache.ts";
import { HubClient } from "./client.ts";
import type { PullOptions } from "./pull.ts";
import {
  fetchFiles,
  listRepository,
  wanted,
  type Listing,
  type PulledFile,
  type Wanted,
} from "./repository.ts";
import { defaultRetryPolicy } from "./retry.ts";
import { hubSettings } from "./settings.ts";

/** Options of `pullDataset`. */
export interface PullDatasetOptions extends Omit<PullOptions, "arch"> {
  /** The parts to download. Default: "test". */
  readonly splits?: readonly string[];
}

/** The result of `pullDataset`. */
export interface PulledDataset {
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  readonly splits: readonly string[];
  readonly files: readonly PulledFile[];
  /** The dataset's folder in the cache, for `evaluate` and `clipscope eval`. */
  readonly folder: string;
}

const texts = ["classnames.txt", "zeroshot_classification_templates.txt", "dataset_type.txt"];
const defaultSplits = ["test"];

/**
 * Downloads a dataset; what is in the cache already is not downloaded again.
 *
 * @param repository "clip-benchmark/wds_imagenet1k"
 * @throws InputError if the download fails, a digest differs, or the repository is not a WebDataset with these splits
 */
export async function pullDataset(
  repository: string,
  options: PullDatasetOptions = {},
): Promise<PulledDataset> {
  const { revision = "main", splits = defaultSplits, retryPolicy = defaultRetryPolicy } = options;
  if (!isRepositoryName(repository)) throw new InputError(`${repository}: expected a repository's name`);
  assertRevision(revision);
  const settings = await hubSettings();
  const { signal = new AbortController().signal, onWait = () => undefined } = options;
  const client = new HubClient({ ...settings, retryPolicy, onWait, signal });
  try {
    const listing = await listRepository(client, repository, revision, "dataset");
    const folder = listing.cached.snapshot(listing.commit);
    const counts = splits.map((split) => shardCountFile(listing, split));
    const small = texts.filter((name) => listing.files.has(name)).map((name) => wanted(listing, name, "it"));
    const files = await fetchFiles(client, [...small, ...counts]);
    const shards: Wanted[] = [];
    for (const split of splits) {
      for (const path of shardsOf(split, await readShardCount(folder, split))) {
        shards.push(wanted(listing, path, `${split}/nshards.txt`));
      }
    }
    files.push(...(await fetchFiles(client, shards, options.onProgress)));
    await listing.cached.setRevision(revision, listing.commit, signal);
    return { repository, revision, commit: listing.commit, splits, files, folder };
  } catch (error) {
    throw explainWriting(settings.cache, error);
  } finally {
    await client.close();
  }
}

/** The folder of a dataset in the cache; null unless all shards of a split are there. */
export async function findCachedDataset(
  { repository, revision }: HubName,
  split: string = defaultSplits[0]!,
): Promise<string | null> {
  const folder = await new CachedRepository(repository, getHFHubCachePath(), "dataset").find(revision);
  if (folder === null || !(await exists(join(folder, split, "nshards.txt")))) return null;
  const shards = shardsOf(split, await readShardCount(folder, split));
  const present = await Promise.all(shards.map((path) => exists(join(folder, path))));
  return present.includes(false) ? null : folder;
}

function shardCountFile(listing: Listing, split: string): Wanted {
  const path = `${split}/nshards.txt`;
  if (listing.files.has(path)) return wanted(listing, path, "it");
  const known = [...listing.files.keys()].flatMap((name) => /^(.*)\/nshards\.txt$/.exec(name)?.[1] ?? []);
  throw new InputError(
    known.length === 0
      ? `${listing.repository}: expected a WebDataset with SPLIT/nshards.txt, found none; see clip-benchmark's datasets on the hub`
      : `${listing.repository}: no split "${split}"; it has ${known.join(", ")}`,
  );
}

async function readShardCount(folder: string, split: string): Promise<number> {
  const path = join(folder, split, "nshards.txt");
  const text = (await readFile(path, "utf8")).trim();
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InputError(`${path}: expected the number of shards, found ${JSON.stringify(text.slice(0, 40))}`);
}

function shardsOf(split: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${split}/${i}.tar`);
}
