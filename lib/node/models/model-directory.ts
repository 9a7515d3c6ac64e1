/**
 * Model directories: the contents of a download of an OpenCLIP repository. docs/reference/model-directory.md lists the files.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isTorchFile, openTorchCheckpoint, unwrapped } from "../../checkpoint/index.ts";
import type { Pretrained } from "../../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../clip/config/open-clip.ts";
import { parsePreprocessConfig } from "../../clip/config/preprocess-config.ts";
import { imageFormatOf } from "../../image/decode.ts";
import type { PreprocessConfig } from "../../image/transform.ts";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { SafetensorsFile } from "../../tensor/safetensors.ts";
import type { TensorStore } from "../../tensor/store.ts";
import { ShardedSafetensors } from "../../tensor/shards.ts";
import { crc32 } from "../files/crc32.ts";
import { exists, isInside } from "../files/exists.ts";
import { FileSource, readWhole, unreadable } from "../files/file-source.ts";

/** The path of the bundled demo model. */
export const demoModel = fileURLToPath(new URL("../../../../fixtures/demo-model", import.meta.url));

/** In bytes; an index of a model's shards has about 100 bytes per tensor. */
const largestJson = 2 ** 26;

export const configName = "open_clip_config.json";

export interface ModelDirectory {
  readonly path: string;
  /** What to do if a file is missing, to append to an error. */
  readonly hint: string;
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
}

/** The location of a model. */
export interface ModelPlace {
  readonly path: string;
  /** open_clip's entry for it, if it is a published model in the hub's cache. */
  readonly pretrained?: Pretrained | undefined;
  readonly hint: string;
}

/**
 * Finds a model.
 *
 * @param name a path, or "hf:REPOSITORY" or "hf:REPOSITORY@REVISION" for a model in the hub's cache
 * @throws InputError if it is not in the cache
 */
export async function findModel(name: string): Promise<ModelPlace> {
  if (!name.startsWith("hf:")) return { path: name, hint: "" };
  // Imported on demand, since most models are folders.
  const { findCachedModel } = await import("../hub/cache.ts");
  const { pull, ...place } = await findCachedModel(name);
  return { ...place, hint: `; run "${pull}"` };
}

/**
 * Reads a model directory's config.
 *
 * @param name a directory, or another name that `findModel` accepts
 * @param arch one of open_clip's names, for a directory without `open_clip_config.json`
 * @throws InputError if the directory or the config is missing, or the config is not supported
 */
export async function readModelDirectory(name: string, arch?: string): Promise<ModelDirectory> {
  return readModelAt(await findModel(name), arch);
}

/** As `readModelDirectory`, for a location that `findModel` returned. */
export async function readModelAt(place: ModelPlace, arch?: string): Promise<ModelDirectory> {
  const { path, pretrained, hint } = place;
  const kind = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!kind.isDirectory()) throw new InputError(`${path}: expected a model directory, found a file`);
  const file = join(path, configName);
  const json = await readJsonIfThere(file);
  // Some published repositories have no config (mlfoundations/open_clip, issue 594).
  const known = json === undefined ? pretrained : undefined;
  const named = arch ?? known?.architecture;
  if (json === undefined && named === undefined) {
    throw new InputError(`${path}: no ${configName}; add the file or name the architecture`);
  }
  const modelConfig = named === undefined ? json?.at("model_cfg").value : architectureByName(named);
  const where = named === undefined ? `${file}: model_cfg` : `architecture ${named}`;
  const config = await parseClipConfig(modelConfig, where, async (folder) => {
    const textConfig = join(path, folder, "config.json");
    const textJson = isInside(folder) ? await readJsonIfThere(textConfig) : undefined;
    return textJson === undefined ? null : { json: textJson.value, path: textConfig };
  });
  const preprocessConfig = json?.at("preprocess_cfg").value ?? known?.preprocess;
  const preprocess = parsePreprocessConfig(preprocessConfig, config.vision.imageSize, file);
  return { path, hint, config, preprocess };
}

const foreignName = "model.safetensors";
const torchName = "open_clip_pytorch_model.bin";

/** The files of weights in a model directory, by priority. */
const weightFiles = [
  "open_clip_model.safetensors",
  "open_clip_model.safetensors.index.json",
  foreignName,
  torchName,
];

/** The path of a model directory's weights. @throws InputError if there are none, or several `.pt` files */
export async function findWeights(directory: string, hint = ""): Promise<string> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw unreadable(directory, error);
  });
  // Files in the hub's cache are links, whose targets may be missing.
  const there = await Promise.all(names.map((name) => exists(join(directory, name))));
  const present = names.filter((_, i) => there[i]);
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
 * @throws InputError if there are none, or several `.pt` files
 */
export function chooseWeights(names: readonly string[], where: string, hint = ""): string {
  const known = weightFiles.find((name) => names.includes(name));
  if (known !== undefined) return known;
  const [first, ...others] = names.filter((name) => name.endsWith(".pt") && !name.includes("/")).sort();
  if (first === undefined) {
    throw new InputError(
      `${where}: no weights: expected one of ${weightFiles.join(", ")}, or a .pt file${hint}`,
    );
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

/** Opens the weights of a model directory. @throws InputError if there are none, or they are damaged */
export async function openWeights(directory: string, hint = ""): Promise<TensorStore> {
  return (await openWeightsFile(await findWeights(directory, hint))).store;
}

/** Finds the first file of these names in the model directory, then in the given folders inside it; null if none exists. */
export async function findFile(
  directory: string,
  folders: readonly string[],
  names: readonly string[],
): Promise<string | null> {
  for (const folder of ["", ...folders.filter(isInside)]) {
    for (const name of names) {
      const path = join(directory, folder, name);
      if (await exists(path)) return path;
    }
  }
  return null;
}

/** @throws InputError if the file cannot be read or is not valid JSON */
export async function readJson(path: string): Promise<JsonValue> {
  return JsonValue.parse(await readWhole(path, largestJson), path);
}

/** As `readJson`; undefined if the file does not exist. */
export async function readJsonIfThere(path: string): Promise<JsonValue | undefined> {
  return (await exists(path)) ? readJson(path) : undefined;
}
