/** The files of weights in model directories. */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isTorchFile, openTorchCheckpoint, unwrapped } from "../../checkpoint/index.ts";
import type { Layout, TranslateOptions } from "../../checkpoint/layouts/index.ts";
import { imageFormatOf } from "../../image/decode.ts";
import { InputError } from "../../errors/input-error.ts";
import { SafetensorsFile } from "../../tensor/safetensors.ts";
import type { TensorStore } from "../../tensor/store.ts";
import { ShardedSafetensors } from "../../tensor/shards.ts";
import { crc32 } from "../files/crc32.ts";
import { exists } from "../files/exists.ts";
import { FileSource, unreadable } from "../files/file-source.ts";
import { readJson } from "./json-file.ts";

const foreignName = "model.safetensors";
const torchName = "open_clip_pytorch_model.bin";

/** The files of weights in a model directory, by priority. */
const weightFiles = [
  "open_clip_model.safetensors",
  "open_clip_model.safetensors.index.json",
  foreignName,
  torchName,
];

/** The same in models of other projects. */
export const foreignWeightFiles = [foreignName, "model.safetensors.index.json", "pytorch_model.bin"];

/**
 * The path of a model directory's weights.
 *
 * @param layout of a model of another project
 * @throws InputError if there are none, or several `.pt` files
 */
export async function findWeights(directory: string, hint = "", layout?: Layout): Promise<string> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw unreadable(directory, error);
  });
  // Files in the hub's cache are links, whose targets may be missing.
  const there = await Promise.all(names.map((name) => exists(join(directory, name))));
  const present = names.filter((_, i) => there[i]);
  if (layout !== undefined)
    return join(directory, chooseWeights(present, directory, hint, foreignWeightFiles));
  const path = join(directory, chooseWeights(present, directory, hint));
  const isForeign =
    present.includes(torchName) && basename(path) === foreignName && (await isTransformers(path));
  return isForeign ? join(directory, torchName) : path;
}

/** In many repositories, `model.safetensors` is for Python's transformers, with different tensor names. */
async function isTransformers(path: string): Promise<boolean> {
  const file = await SafetensorsFile.open(await FileSource.open(path));
  try {
    return file.tensors.has("vision_model.embeddings.class_embedding");
  } finally {
    await file.close();
  }
}

/**
 * Chooses the file of weights among a folder's files.
 *
 * @param where the folder, for errors
 * @param files the names of weights, by priority
 * @throws InputError if there are none, or several `.pt` files
 */
export function chooseWeights(
  names: readonly string[],
  where: string,
  hint = "",
  files: readonly string[] = weightFiles,
): string {
  const known = files.find((name) => names.includes(name));
  if (known !== undefined) return known;
  const [first, ...others] = names.filter((name) => name.endsWith(".pt") && !name.includes("/")).sort();
  if (first === undefined) {
    throw new InputError(`${where}: no weights: expected one of ${files.join(", ")}, or a .pt file${hint}`);
  }
  if (others.length > 0) {
    throw new InputError(
      `${where}: expected one .pt file, found several; convert the one that holds the model`,
      [first, ...others],
    );
  }
  return first;
}

export interface Weights {
  /** The tensors under the names of the model's modules, without prefixes of wrappers. */
  readonly store: TensorStore;
  readonly format: "safetensors" | "sharded safetensors" | "zip" | "torchscript" | "legacy";
  /** The entries of the file's state dict that are not tensors. */
  readonly skipped: readonly string[];
}

/**
 * Opens a file of weights: safetensors, an index of shards, or a PyTorch file.
 *
 * @throws InputError for other formats and damaged files
 */
export async function openWeightsFile(path: string): Promise<Weights> {
  if (path.endsWith(".json")) {
    const store = await ShardedSafetensors.open(await readJson(path), (shard) =>
      FileSource.open(join(dirname(path), shard)),
    );
    return { store: unwrapped(store), format: "sharded safetensors", skipped: [] };
  }
  const source = await FileSource.open(path);
  if (await isTorchFile(source)) return openTorchCheckpoint(source, crc32);
  const other = otherKind(await source.read(0, Math.min(source.size, 32)));
  if (other !== undefined) {
    await source.close();
    throw new InputError(`${path}: expected weights (safetensors or a PyTorch file), found ${other}`);
  }
  return { store: unwrapped(await SafetensorsFile.open(source)), format: "safetensors", skipped: [] };
}

/** Files that are easily taken for weights. */
function otherKind(head: Uint8Array): string | undefined {
  const image = imageFormatOf(head);
  if (image !== undefined) return `an image (${image})`;
  const text = Buffer.from(head).toString("latin1");
  if (text.startsWith("version https://git-lfs")) return "a Git LFS pointer; download the file itself";
  return text.startsWith("\x1f\x8b") ? "a gzip archive; gunzip it first" : undefined;
}

/** A model directory's weights, and what a user should know about them. */
export interface OpenedWeights extends Weights {
  readonly notes: readonly string[];
}

/**
 * Opens the weights of a model directory, under OpenCLIP's names.
 *
 * @param path from `findWeights`
 * @param options of the translation, if the model has another layout
 * @throws InputError if they are damaged, or do not fit the layout
 */
export async function openModelWeights(
  path: string,
  layout: Layout | undefined,
  options: TranslateOptions = {},
): Promise<OpenedWeights> {
  const weights = await openWeightsFile(path);
  if (layout === undefined) return { ...weights, notes: [] };
  try {
    return { ...weights, ...(await layout.translate(weights.store, options)) };
  } catch (error) {
    await weights.store.close();
    throw error;
  }
}

/** Finds and opens the weights of a model directory. @throws InputError if there are none, or they are damaged */
export async function openWeights(directory: string, hint = "", layout?: Layout): Promise<TensorStore> {
  return (await openModelWeights(await findWeights(directory, hint, layout), layout)).store;
}
