/** Downloads the files of a published model that are needed to run it to the hub's cache. */
import { join } from "node:path";
import { pretrainedOf } from "../../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { architectureByName } from "../../clip/config/open-clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { readWeightMap } from "../../tensor/shards.ts";
import { makeFolder } from "../files/make-folder.ts";
import { explainWriting } from "../files/output-path.ts";
import { chooseWeights, configName, readJson, readModelDirectory } from "../models/model-directory.ts";
import { tokenizerFiles } from "../../text/create-tokenizer.ts";
import { assertRevision, isRepositoryName } from "./cache.ts";
import { HubClient } from "./client.ts";
import {
  fetchFiles,
  listRepository,
  wanted,
  type Listing,
  type PulledFile,
  type Wanted,
} from "./repository.ts";
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

/** For the error of a shard that the repository lacks. */
const indexOfWeights = "the index of the weights";

class Pull {
  readonly #client: HubClient;
  readonly #options: PullOptions;
  readonly #pulled: PulledFile[] = [];

  constructor(client: HubClient, options: PullOptions) {
    this.#client = client;
    this.#options = options;
  }

  async run(repository: string, revision: string): Promise<PullReport> {
    const listing = await listRepository(this.#client, repository, revision);
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
      await this.#fetch([wanted(listing, configName, indexOfWeights)]);
      const json = await readJson(join(folder, configName));
      const name = json.at("model_cfg").at("text_cfg").at("hf_model_name").or("").string();
      // A text network of an unpublished size has its config in a folder of the repository.
      const network = `${name}/config.json`;
      if (listing.files.has(network)) await this.#fetch([wanted(listing, network, indexOfWeights)]);
    } else await makeFolder(folder);
    return (await readModelDirectory(folder, architecture ?? undefined)).config;
  }

  /** The weights: one file, or the shards of an index. */
  async #weights(listing: Listing, folder: string): Promise<Wanted[]> {
    const names = [...listing.files.keys()];
    // Next to open_clip's own files, model.safetensors is the copy for transformers.
    const own = names.filter((name) => name.startsWith("open_clip_") && name !== configName);
    const name = chooseWeights(own.length > 0 ? own : names, listing.repository);
    const file = wanted(listing, name, indexOfWeights);
    if (!name.endsWith(".json")) return [file];
    await this.#fetch([file]);
    const shards = readWeightMap(await readJson(join(folder, name))).values();
    return [...new Set(shards)].map((shard) => wanted(listing, shard, indexOfWeights));
  }

  /** The tokenizer of the model, or of the repositories that its config names. clipscope contains the English models'. */
  async #tokenizer(listing: Listing, { text }: ClipConfig): Promise<Wanted | null> {
    const { folders } = text.tokenizer;
    if (folders.length === 0) return null;
    for (const folder of ["", ...folders.map((name) => `${name}/`)]) {
      const name = tokenizerFiles.find((one) => listing.files.has(`${folder}${one}`));
      if (name !== undefined) return wanted(listing, `${folder}${name}`, indexOfWeights);
    }
    const paths = [...listing.files.keys()];
    const isFolder = (name: string): boolean => paths.some((path) => path.startsWith(`${name}/`));
    const repositories = folders.filter((name) => isRepositoryName(name) && !isFolder(name));
    for (const repository of repositories) {
      const other = await listRepository(this.#client, repository, "main");
      const name = tokenizerFiles.find((one) => other.files.has(one));
      if (name !== undefined) return wanted(other, name, indexOfWeights);
    }
    const places = ["it", ...repositories].join(" or in ");
    throw new InputError(
      `${listing.repository}: no tokenizer: expected ${tokenizerFiles.join(" or ")} in ${places}`,
    );
  }

  async #fetch(files: readonly Wanted[], onProgress?: PullOptions["onProgress"]): Promise<void> {
    this.#pulled.push(...(await fetchFiles(this.#client, files, onProgress)));
  }
}
