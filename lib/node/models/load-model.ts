/** Loads a model from a model directory. */
import { freemem } from "node:os";
import { Clip } from "../../clip/clip.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { countFlops } from "../../clip/flops.ts";
import { assertChoice, assertOptions } from "../../errors/arguments.ts";
import { found } from "../../errors/found.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { assertFitsGpu } from "../../tensor/gpu-limits.ts";
import { bytesPerWeight, precisions, type Precision } from "../../tensor/precision.ts";
import type { TensorStore } from "../../tensor/store.ts";
import type { Residency } from "../../tensor/weight.ts";
import { webgpuDevice } from "../../webgpu/index.ts";
import { startNodeBackend, type NodeBackendOptions } from "../backends/backends.ts";
import "../tap-scope.ts";
import { demoModel, readModelDirectory } from "./model-directory.ts";
import { findWeights, openModelWeights } from "./weights-file.ts";
import { readTokenizer } from "./read-tokenizer.ts";

/** Options of `loadModel`. */
export interface LoadOptions {
  /** An architecture name of open_clip, for a directory without `open_clip_config.json`. */
  readonly arch?: string;
  /** Default: the best available backend. */
  readonly backend?: BackendChoice;
  /**
   * `resident` keeps weights in memory after their first use; `streamed` reads each block's weights again in every
   * pass. Default: `streamed` if they do not fit (the free memory; on wasm 1 GB of float32), else `resident`.
   */
  readonly residency?: Residency | "auto";
  /** The precision of matrix products. Default: f32. Others require the native backend on the CPU. */
  readonly precision?: Precision;
  /** Called with what a user should know about a model of another project. */
  readonly onNote?: (note: string) => void;
}

/**
 * Loads a model directory. Weights are read when a pass first needs them, so a model that only embeds texts never reads
 * the image tower's weights.
 *
 * @param name a directory with the files of an OpenCLIP repository, or "hf:REPOSITORY" or "hf:REPOSITORY@REVISION" for
 *   a model in the hub's cache (see `pullModel`); default: the bundled demo model
 * @throws InputError if something is missing, damaged or not supported; it names the file and the fix
 */
export async function loadModel(name: string = demoModel, options: LoadOptions = {}): Promise<Clip> {
  assertArguments(name, options);
  const files = await readModelDirectory(name, options.arch);
  const { name: backend } = await startNodeBackend(options.backend, threadsFor(files.config));
  const { precision = "f32" } = options;
  const weights = await findWeights(files.path, files.hint, files.layout);
  const { store, notes } = await openModelWeights(weights, files.layout);
  for (const note of notes) options.onNote?.(note);
  const { residency: wanted = "auto" } = options;
  const residency = wanted === "auto" ? fittingResidency(store, backend, precision) : wanted;
  const loadTokenizer = (): Promise<Tokenizer> => readTokenizer(files);
  try {
    const { config, preprocess } = files;
    const model = new Clip({ config, store, preprocess, loadTokenizer, residency, precision });
    const gpu = backend === "webgpu" ? webgpuDevice() : null;
    if (gpu !== null) assertFitsGpu(model.weights, gpu.device.limits);
    return model;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** @throws InputError for the first argument that is wrong */
function assertArguments(name: string, options: LoadOptions): void {
  const given: unknown = name;
  if (typeof given !== "string" || given === "") {
    const advice = given instanceof URL ? "; convert it with fileURLToPath" : "";
    throw new InputError(
      `loadModel: expected the path of a model directory or hf:REPOSITORY, found ${found(given)}${advice}`,
    );
  }
  assertOptions(options, ["arch", "backend", "residency", "precision", "onNote"], "loadModel");
  assertChoice(options.residency, ["auto", "resident", "streamed"], "loadModel: residency");
  assertChoice(options.precision, precisions, "loadModel: precision");
  const { arch }: { readonly arch?: unknown } = options;
  if (arch !== undefined && typeof arch !== "string") {
    throw new InputError(`loadModel: arch: expected the name of an architecture, found ${found(arch)}`);
  }
}

/**
 * The FLOPs of an image from which threads help on WASM. In smaller models threads synchronise at each of a pass's
 * hundred operations, which can take longer than the computation. (ViT-B/32: 8.8 GFLOP.)
 */
const smallestImageForThreads = 2e9;

/** The number of wasm threads for a model. */
export function threadsFor(config: ClipConfig): NodeBackendOptions {
  return countFlops(config).image < smallestImageForThreads ? { wasmThreads: 1 } : {};
}

/** In bytes. WASM's heap is limited to 4 GB, and XNNPACK keeps a second, packed copy of each matrix. */
const residentLimitOnWasm = 1e9;

/** Tables of which only the needed rows are loaded. */
const tables = /(word_embeddings|token_embedding)\.weight$/;

/**
 * `resident` if the weights fit in memory in the precision, else `streamed`.
 *
 * @param available memory for the process, in bytes
 */
export function fittingResidency(
  { tensors }: Pick<TensorStore, "tensors">,
  backend: string,
  precision: Precision = "f32",
  available: number = availableMemory(),
): Residency {
  let bytes = 0;
  for (const [name, { shape }] of tensors)
    if (!tables.test(name)) bytes += bytesPerWeight[precision] * elementCount(shape);
  const limit = backend === "wasm" ? Math.min(residentLimitOnWasm, available) : available;
  return bytes > limit ? "streamed" : "resident";
}

/** `process.availableMemory` (from Node 20.13) respects the limits of containers. */
function availableMemory(): number {
  const known = process as { availableMemory?: () => number };
  return known.availableMemory?.() ?? freemem();
}
