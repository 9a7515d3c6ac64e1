/** Downloads the files of a published model that are needed to run it to the hub's cache. */
import { join } from "node:path";
import { listFiles, modelInfo } from "@huggingface/hub";
import { pretrainedOf } from "../../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { architectureByName } from "../../clip/config/open-clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { JsonValue } from "../../json/json-value.ts";
import { readWeightMap } from "../../tensor/shards.ts";
import { assertSpace } from "../files/disk-space.ts";
import { makeFolder } from "../files/make-folder.ts";
import { explainWriting } from "../files/output-path.ts";
import { exists, isInside } from "../files/exists.ts";
import { chooseWeights, configName, readJson, readModelDirectory } from "../models/model-directory.ts";
import { tokenizerFiles } from "../../text/create-tokenizer.ts";
import { assertRevision, CachedRepository, isCommit, isRepositoryName } from "./cache.ts";
import { HubClient } from "./client.ts";
import { downloadBlob, downloadedBytes, type RemoteFile } from "./download.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry.ts";
import { hubSettings } from "./settings.ts";

/** Options of `pullModel`. */
export interface PullOptions {
  /** Branch, tag or commit. Default: "main". */
  readonly revision?: string;
  /** One of open_clip's architectures, for a repository that has no config and is not in open_clip's table. */
  readonly arch?: string;
  /** Stops the download. The partial files stay. */
  readonly signal?: AbortSignal;
  readonly retryPolicy?: RetryPolicy;
  /** Called with the bytes that are downloaded, those downloaded before this run, and the total. */
  readonly onProgress?: (done: number, before: number, total: number) => void;
  /** Called with the reason of each wait: a dropped connection, another process. */
  readonly onWait?: (reason: string) => void;
}

/** A file of a pulled model. */
export interface PulledFile {
  readonly repository: string;
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256, or git's SHA-1 for a small file. */
  readonly digest: string;
  /** Bytes that this run downloaded. */
  readonly downloaded: number;
  /** The path in the cache. */
  readonly location: string;
}

/** The result of `pullModel`. */
export interface PullReport {
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  /** open_clip's name; null if the repository has a config. */
  readonly architecture: string | null;
  readonly files: readonly PulledFile[];
  /** The model directory. */
  readonly folder: string;
  /** The name for `loadModel` and `--model`. */
  readonly model: string;
}

/** A repository at one commit. */
interface Listing {
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, RemoteFile>;
  readonly cached: CachedRepository;
}

/**
 * Downloads a model: its config, its tokenizer, and one file of weights or the shards of an index.
 *
 * The branch or tag moves to the new commit after all files are verified. Until then, the cache gives the earlier commit.
 *
 * @param repository the name on the Hugging Face Hub, or at HF_ENDPOINT
 * @throws InputError if the download fails, the model is not supported, or a digest differs
 */
export async function pullModel(repository: string, options: PullOptions = {}): Promise<PullReport> {
  const { revision = "main", retryPolicy = defaultRetryPolicy, onWait = () => undefined } = options;
  if (!isRepositoryName(repository)) throw new InputError(`${repository}: expected a repository's name`);
  assertRevision(revision);
  if (options.arch !== undefined) architectureByName(options.arch);
  const settings = await hubSettings();
  const signal = options.signal ?? new AbortController().signal;
  const client = new HubClient({ ...settings, retryPolicy, onWait, signal });
  try {
    return await new Pull(client, options).run(repository, revision);
  } catch (error) {
    throw explainWriting(settings.cache, error);
  } finally {
    await client.close();
  }
}

class Pull {
  readonly #client: HubClient;
  readonly #options: PullOptions;
  readonly #pulled: PulledFile[] = [];

  constructor(client: HubClient, options: PullOptions) {
    this.#client = client;
    this.#options = options;
  }

  async run(repository: string, revision: string): Promise<PullReport> {
    const listing = await this.#list(repository, revision);
    const { commit, cached } = listing;
    const folder = cached.snapshot(commit);
    const architecture = listing.files.has(configName) ? null : this.#architecture(listing);
    // The small files decide which large ones are needed, and whether the model is supported.
    const config = await this.#config(listing, folder, architecture);
    const weights = await this.#weights(listing, folder);
    const tokenizer = await this.#tokenizer(listing, config);
    const large = tokenizer === null ? weights : [...weights, tokenizer];
    await this.#fetch(large, this.#options.onProgress);
    for (const one of new Set([...large.map((file) => file.listing), listing])) {
      await one.cached.setRevision(one.revision, one.commit, this.#client.options.signal);
    }
    return {
      repository,
      revision,
      commit,
      architecture,
      files: this.#pulled,
      folder,
      model: `hf:${repository}${revision === "main" ? "" : `@${revision}`}`,
    };
  }

  /** Lists the files of a repository at a revision. */
  async #list(repository: string, revision: string): Promise<Listing> {
    const { endpoint: hubUrl, cache } = this.#client.options;
    const { sha: commit } = await modelInfo({
      hubUrl,
      fetch: this.#client.apiFetch(repository, (info) => void info.object()),
      name: repository,
      revision,
      additionalFields: ["sha"],
    });
    if (!isCommit(commit)) throw unexpected(hubUrl, `a commit, found ${JSON.stringify(commit)}`);
    const files = new Map<string, RemoteFile>();
    const repo = { type: "model", name: repository } as const;
    for await (const { type, path, size, oid, lfs } of listFiles({
      hubUrl,
      fetch: this.#client.apiFetch(repository, checkListing),
      repo,
      revision: commit,
      recursive: true,
    })) {
      if (type !== "file") continue;
      const digest = lfs?.oid ?? oid ?? "";
      // Paths and digests become paths on this machine.
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digest)) throw unexpected(hubUrl, `a digest of ${path}`);
      // Neither a URL nor a file can have half a character or a zero byte in its name.
      if (!isInside(path) || /[\0\p{Surrogate}]/u.test(path)) {
        throw unexpected(hubUrl, `a path inside the repository, found ${JSON.stringify(path)}`);
      }
      const url = `${hubUrl}/${repository}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
      files.set(path, { repository, path, size: lfs?.size ?? size, digest, url });
    }
    return { repository, revision, commit, files, cached: new CachedRepository(repository, cache) };
  }

  #architecture({ repository }: Listing): string {
    const name = this.#options.arch ?? pretrainedOf(repository)?.architecture;
    if (name === undefined) {
      throw new InputError(
        `${repository}: has no ${configName} and is not in open_clip's table; if it is an open_clip model, give its architecture with --arch`,
      );
    }
    architectureByName(name);
    return name;
  }

  async #config(listing: Listing, folder: string, architecture: string | null): Promise<ClipConfig> {
    if (architecture === null) {
      await this.#fetch([wanted(listing, configName)]);
      const json = await readJson(join(folder, configName));
      const name = json.at("model_cfg").at("text_cfg").at("hf_model_name").or("").string();
      // A text network of an unpublished size has its config in a folder of the repository.
      const network = `${name}/config.json`;
      if (listing.files.has(network)) await this.#fetch([wanted(listing, network)]);
    } else await makeFolder(folder);
    return (await readModelDirectory(folder, architecture ?? undefined)).config;
  }

  /** The weights: one file, or the shards of an index. */
  async #weights(listing: Listing, folder: string): Promise<Wanted[]> {
    const names = [...listing.files.keys()];
    // Next to open_clip's own files, model.safetensors is the copy for transformers.
    const own = names.filter((name) => name.startsWith("open_clip_") && name !== configName);
    const name = chooseWeights(own.length > 0 ? own : names, listing.repository);
    const file = wanted(listing, name);
    if (!name.endsWith(".json")) return [file];
    await this.#fetch([file]);
    const shards = readWeightMap(await readJson(join(folder, name))).values();
    return [...new Set(shards)].map((shard) => wanted(listing, shard));
  }

  /** The tokenizer of the model, or of the repositories that its config names. clipscope contains the English models'. */
  async #tokenizer(listing: Listing, { text }: ClipConfig): Promise<Wanted | null> {
    const { folders } = text.tokenizer;
    if (folders.length === 0) return null;
    for (const folder of ["", ...folders.map((name) => `${name}/`)]) {
      const name = tokenizerFiles.find((one) => listing.files.has(`${folder}${one}`));
      if (name !== undefined) return wanted(listing, `${folder}${name}`);
    }
    const paths = [...listing.files.keys()];
    const isFolder = (name: string): boolean => paths.some((path) => path.startsWith(`${name}/`));
    const repositories = folders.filter((name) => isRepositoryName(name) && !isFolder(name));
    for (const repository of repositories) {
      const other = await this.#list(repository, "main");
      const name = tokenizerFiles.find((one) => other.files.has(one));
      if (name !== undefined) return wanted(other, name);
    }
    const places = ["it", ...repositories].join(" or in ");
    throw new InputError(
      `${listing.repository}: no tokenizer: expected ${tokenizerFiles.join(" or ")} in ${places}`,
    );
  }

  async #fetch(files: readonly Wanted[], onProgress?: PullOptions["onProgress"]): Promise<void> {
    const { cache, signal } = this.#client.options;
    await makeFolder(cache);
    const missing = await Promise.all(files.map(bytesMissing));
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
    await assertSpace(cache, sum(missing));
    const total = sum(files.map(({ file }) => file.size));
    const before = total - sum(missing);
    let done = before;
    for (const [i, { listing, file }] of files.entries()) {
      const { cached, commit } = listing;
      const location = join(cached.snapshot(commit), file.path);
      signal.throwIfAborted();
      if (missing[i]! > 0 || !(await exists(location))) {
        await downloadBlob(this.#client, file, cached.blob(file.digest), (count) => {
          done += count;
          onProgress?.(done, before, total);
        });
        await cached.link(file.digest, commit, file.path);
      }
      const { repository, path, size, digest } = file;
      this.#pulled.push({ repository, path, size, digest, downloaded: missing[i]!, location });
    }
  }
}

/** @throws InputError if an entry of a page of files lacks what is read of it */
function checkListing(page: JsonValue): void {
  for (const entry of page.items()) {
    if (entry.at("type").string() !== "file") continue;
    entry.at("path").string();
    assertSize(entry.at("size"));
    entry.at("oid").or("").string();
    const lfs = entry.at("lfs");
    if (lfs.isMissing) continue;
    lfs.at("oid").string();
    assertSize(lfs.at("size"));
  }
}

/** Beyond 2^53 as well: the check of the free space refuses it. */
function assertSize(size: JsonValue): void {
  if (size.number() < 0) throw size.error("a size in bytes");
}

/** A file and its repository. */
interface Wanted {
  readonly listing: Listing;
  readonly file: RemoteFile;
}

function wanted(listing: Listing, path: string): Wanted {
  const file = listing.files.get(path);
  if (file !== undefined) return { listing, file };
  throw new InputError(
    `${listing.repository}: expected the file ${path}, which the index of the weights lists`,
  );
}

async function bytesMissing({ listing: { cached, commit }, file }: Wanted): Promise<number> {
  const blob = cached.blob(file.digest);
  if ((await exists(blob)) || (await exists(join(cached.snapshot(commit), file.path)))) return 0;
  return file.size - Math.min(file.size, await downloadedBytes(blob));
}

function unexpected(endpoint: string, what: string): InputError {
  return new InputError(`${endpoint}: expected ${what}; check that HF_ENDPOINT is a hub`);
}
