/** Downloads the files of a published model that are needed to run it to the hub's cache. */
import { join } from "node:path";
import { pretrainedOf } from "../../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { architectureByName } from "../../clip/config/open-clip.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Layout } from "../../checkpoint/layouts/index.ts";
import { readWeightMap } from "../../tensor/shards.ts";
import { makeFolder } from "../files/make-folder.ts";
import { explainWriting } from "../files/output-path.ts";
import { readJson } from "../models/json-file.ts";
import { findLayout, foreignConfigName } from "../models/foreign-model.ts";
import { configName, readModelDirectory, type ModelDirectory } from "../models/model-directory.ts";
import { chooseWeights, foreignWeightFiles } from "../models/weights-file.ts";
import { namesOf } from "../models/read-tokenizer.ts";
import { assertRevision, isRepositoryName } from "./cache.ts";
import { HubClient } from "./client.ts";
import { comparatorOf } from "./comparators.ts";
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
  /** "Chinese-CLIP", if it is a model of another project; null otherwise. */
  readonly layout: string | null;
  /** Of the weights, if it restricts more than this package's own: "GPL-3.0". */
  readonly license: string | null;
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
    const architecture = this.#architecture(listing);
    const isForeign = architecture === null && !listing.files.has(configName);
    // The small files decide which large ones are needed, and whether the model is supported.
    const { config, layout } = isForeign
      ? await this.#foreignConfig(listing, folder)
      : await this.#config(listing, folder, architecture);
    const weights = await this.#weights(listing, folder, layout);
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
      layout: layout?.name ?? null,
      license: comparatorOf(repository)?.license ?? null,
      files: this.#pulled,
      folder,
      model: `hf:${repository}${revision === "main" ? "" : `@${revision}`}`,
    };
  }

  /** One of open_clip's names; null if the repository's own config describes the architecture. */
  #architecture({ repository, files }: Listing): string | null {
    const name = this.#options.arch ?? pretrainedOf(repository)?.architecture;
    if (files.has(configName)) return null;
    if (name !== undefined) architectureByName(name);
    else if (!files.has(foreignConfigName)) throw notAModel(repository);
    return name ?? null;
  }

  /** The config of a model of another project. */
  async #foreignConfig(listing: Listing, folder: string): Promise<ModelDirectory> {
    const small = [foreignConfigName, "preprocessor_config.json"].filter((name) => listing.files.has(name));
    await this.#fetch(small.map((name) => wanted(listing, name, indexOfWeights)));
    if ((await findLayout(folder)) === undefined) throw notAModel(listing.repository);
    return readModelDirectory(folder);
  }

  async #config(listing: Listing, folder: string, architecture: string | null): Promise<ModelDirectory> {
    if (architecture === null) {
      await this.#fetch([wanted(listing, configName, indexOfWeights)]);
      const json = await readJson(join(folder, configName));
      const name = json.at("model_cfg").at("text_cfg").at("hf_model_name").or("").string();
      // A text network of an unpublished size has its config in a folder of the repository.
      const network = `${name}/config.json`;
      if (listing.files.has(network)) await this.#fetch([wanted(listing, network, indexOfWeights)]);
    } else await makeFolder(folder);
    return readModelDirectory(folder, architecture ?? undefined);
  }

  /** The weights: one file, or the shards of an index. */
  async #weights(listing: Listing, folder: string, layout?: Layout): Promise<Wanted[]> {
    const names = [...listing.files.keys()];
    // Next to open_clip's own files, model.safetensors is the copy for transformers.
    const own = names.filter((name) => name.startsWith("open_clip_") && name !== configName);
    const name =
      layout === undefined
        ? chooseWeights(own.length > 0 ? own : names, listing.repository)
        : chooseWeights(names, listing.repository, "", foreignWeightFiles);
    const file = wanted(listing, name, indexOfWeights);
    if (!name.endsWith(".json")) return [file];
    await this.#fetch([file]);
    const shards = readWeightMap(await readJson(join(folder, name))).values();
    return [...new Set(shards)].map((shard) => wanted(listing, shard, indexOfWeights));
  }

  /** The tokenizer of the model, or of the repositories that its config names. clipscope contains the English models'. */
  async #tokenizer(listing: Listing, { text }: ClipConfig): Promise<Wanted | null> {
    const { folders } = text.tokenizer;
    const files = namesOf(text.tokenizer);
    if (folders.length === 0) return null;
    for (const folder of ["", ...folders.map((name) => `${name}/`)]) {
      const name = files.find((one) => listing.files.has(`${folder}${one}`));
      if (name !== undefined) return wanted(listing, `${folder}${name}`, indexOfWeights);
    }
    const paths = [...listing.files.keys()];
    const isFolder = (name: string): boolean => paths.some((path) => path.startsWith(`${name}/`));
    const repositories = folders.filter((name) => isRepositoryName(name) && !isFolder(name));
    for (const repository of repositories) {
      const other = await listRepository(this.#client, repository, "main");
      const name = files.find((one) => other.files.has(one));
      if (name !== undefined) return wanted(other, name, indexOfWeights);
    }
    const places = ["it", ...repositories].join(" or in ");
    throw new InputError(`${listing.repository}: no tokenizer: expected ${files.join(", ")} in ${places}`);
  }

  async #fetch(files: readonly Wanted[], onProgress?: PullOptions["onProgress"]): Promise<void> {
    this.#pulled.push(...(await fetchFiles(this.#client, files, onProgress)));
  }
}

function notAModel(repository: string): InputError {
  return new InputError(
    `${repository}: has no ${configName}, no ${foreignConfigName} of a supported model, and is not in open_clip's table; if it is an open_clip model, give its architecture with --arch`,
  );
}
