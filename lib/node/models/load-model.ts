/** From a model directory to a model that answers. */
import { freemem } from "node:os";
import { Clip } from "../../clip/clip.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { countFlops } from "../../clip/flops.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import { elementCount } from "../../tensor/dtype.ts";
import type { TensorStore } from "../../tensor/store.ts";
import type { Residency } from "../../tensor/weight.ts";
import { startNodeBackend, type NodeBackendOptions } from "../backends/backends.ts";
import { demoModel, openWeights, readModelDirectory } from "./model-directory.ts";
import { readTokenizer } from "./read-tokenizer.ts";

/** Options of `loadModel`. */
export interface LoadOptions {
  /** One of open_clip's names, for a directory without `open_clip_config.json`. */
  readonly arch?: string;
  /** Default: the best that can run here. */
  readonly backend?: BackendChoice;
  /**
   * Keep weights in memory after their first use, or read each block's again in every pass. Default: `streamed` where
   * they do not fit (the machine's free memory; wasm: beyond 1 GB of float32), else `resident`.
   */
  readonly weights?: Residency | "auto";
}

/**
 * Loads a model directory. Weights are read when a pass needs them: a model that only embeds texts never reads the
 * image tower's.
 *
 * @param name a folder with what a download of an OpenCLIP repository holds, or "hf:REPOSITORY", "hf:REPOSITORY@REVISION"
 *   for one in the hub's cache (`pullModel` puts it there); default: the demo model that comes along
 * @throws InputError if something is missing, damaged or not supported: it names the file and the way out
 */
export async function loadModel(name: string = demoModel, options: LoadOptions = {}): Promise<Clip> {
  const files = await readModelDirectory(name, options.arch);
  const { name: backend } = await startNodeBackend(options.backend, threadsFor(files.config));
  const store = await openWeights(files.path, files.wayOut);
  const { weights = "auto" } = options;
  const residency = weights === "auto" ? fittingResidency(store, backend) : weights;
  const loadTokenizer = (): Promise<Tokenizer> => readTokenizer(files);
  try {
    return new Clip({ config: files.config, store, preprocess: files.preprocess, loadTokenizer, residency });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Products of this size are done before a thread has come: below it, WASM's threads wait for one another at each of a
 * pass's hundred operations, on a busy machine for longer than they compute. (ViT-B/32: 8.8 GFLOP.)
 */
const smallestImageForThreads = 2e9;

/** How many threads a model is worth on wasm. */
export function threadsFor(config: ClipConfig): NodeBackendOptions {
  return countFlops(config).image < smallestImageForThreads ? { wasmThreads: 1 } : {};
}

/** WASM's heap ends at 4 GB, and XNNPACK keeps a second, packed copy of each matrix. */
const residentLimitOnWasm = 1e9;

/** Tables of which only the rows at hand are ever loaded. */
const tables = /(word_embeddings|token_embedding)\.weight$/;

/**
 * Whether a backend can hold a model's weights, in float32.
 *
 * @param available memory that the process may still take, in bytes
 */
export function fittingResidency(
  { tensors }: Pick<TensorStore, "tensors">,
  backend: string,
  available: number = availableMemory(),
): Residency {
  let bytes = 0;
  for (const [name, { shape }] of tensors) if (!tables.test(name)) bytes += 4 * elementCount(shape);
  const limit = backend === "wasm" ? Math.min(residentLimitOnWasm, available) : available;
  return bytes > limit ? "streamed" : "resident";
}

/** Node's word where it has one (20.13): it knows of containers' limits. */
function availableMemory(): number {
  const known = process as { availableMemory?: () => number };
  return known.availableMemory?.() ?? freemem();
}
