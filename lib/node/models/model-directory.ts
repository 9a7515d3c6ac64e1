/**
 * A model directory: what a download of an OpenCLIP repository holds. See docs/reference/model-directory.md for the files.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isTorchFile, openTorchCheckpoint, unwrapped } from "../../checkpoint/index.ts";
import type { Pretrained } from "../../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../clip/config/open-clip.ts";
import { parsePreprocessConfig } from "../../clip/config/preprocess-config.ts";
import type { PreprocessConfig } from "../../image/transform.ts";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { SafetensorsFile } from "../../tensor/safetensors.ts";
import type { TensorStore } from "../../tensor/store.ts";
import { ShardedSafetensors } from "../../tensor/shards.ts";
import { crc32 } from "../files/crc32.ts";
import { FileSource, unreadable } from "../files/file-source.ts";

/** The demo model that comes along. */
export const demoModel = fileURLToPath(new URL("../../../../fixtures/demo-model", import.meta.url));

export const configName = "open_clip_config.json";

export interface ModelDirectory {
  readonly path: string;
  /** What to do where a file is missing, to put behind an error. */
  readonly wayOut: string;
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
}

/** Where a model is. */
export interface ModelPlace {
  readonly path: string;
  /** What open_clip knows of it, if it is a published one in the hub's cache. */
  readonly pretrained?: Pretrained | undefined;
  readonly wayOut: string;
}

/**
 * Finds a model.
 *
 * @param name a path, or "hf:REPOSITORY", "hf:REPOSITORY@REVISION" for what the hub's cache holds
 * @throws InputError if the cache does not hold it
 */
export async function findModel(name: string): Promise<ModelPlace> {
  if (!name.startsWith("hf:")) return { path: name, wayOut: "" };
  // Loaded when it is asked for: most models are folders.
  const { findCachedModel } = await import("../hub/cache.ts");
  const { pull, ...place } = await findCachedModel(name);
  return { ...place, wayOut: `; run "${pull}"` };
}

/**
 * Reads a model directory's config.
 *
 * @param name the directory, or a name that `findModel` takes
 * @param arch one of open_clip's names, for a directory without `open_clip_config.json`
 * @throws InputError if there is no such directory, no config, or one that is not understood
 */
export async function readModelDirectory(name: string, arch?: string): Promise<ModelDirectory> {
  return readModelAt(await findModel(name), arch);
}

/** The same for a place that is known. */
export async function readModelAt(place: ModelPlace, arch?: string): Promise<ModelDirectory> {
  const { path, pretrained, wayOut } = place;
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
    throw new InputError(`${path}: no ${configName}; put it there or name the architecture with --arch`);
  }
  const modelConfig = named === undefined ? json?.at("model_cfg").value : architectureByName(named);
  const where = named === undefined ? `${file}: model_cfg` : `--arch ${named}`;
  const config = await parseClipConfig(modelConfig, where, async (folder) => {
    const textConfig = join(path, folder, "config.json");
    const textJson = isInside(folder) ? await readJsonIfThere(textConfig) : undefined;
    return textJson === undefined ? null : { json: textJson.value, path: textConfig };
  });
  const preprocessConfig = json?.at("preprocess_cfg").value ?? known?.preprocess;
  const preprocess = parsePreprocessConfig(preprocessConfig, config.vision.imageSize, file);
  return { path, wayOut, config, preprocess };
}

const foreignName = "model.safetensors";
const torchName = "open_clip_pytorch_model.bin";

/** Weights that may stand in a model directory: the first found is taken. */
const weightFiles = [
  "open_clip_model.safetensors",
  "open_clip_model.safetensors.index.json",
  foreignName,
  torchName,
];

/** The weights of a model directory: the path of the file. @throws InputError if there are none, or several `.pt` */
export async function findWeights(directory: string, wayOut = ""): Promise<string> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw unreadable(directory, error);
  });
  // In the hub's cache files are links, whose end may be gone.
  const there = await Promise.all(names.map((name) => exists(join(directory, name))));
  const present = names.filter((_, i) => there[i]);
  const path = join(directory, chooseWeights(present, directory, wayOut));
  const isForeign =
    present.includes(torchName) && basename(path) === foreignName && (await isTransformers(path));
  return isForeign ? join(directory, torchName) : path;
}

/** In many repositories a file of that name is the copy for Python's transformers, where all tensors have other names. */
async function isTransformers(path: string): Promise<boolean> {
  const file = await SafetensorsFile.open(await FileSource.open(path));
  try {
    return file.tensors.has("vision_model.embeddings.class_embedding");
  } finally {
    await file.close();
  }
}

/**
 * Which of a folder's files are the weights.
 *
 * @param where the folder, for errors
 * @throws InputError if there are none, or several `.pt`
 */
export function chooseWeights(names: readonly string[], where: string, wayOut = ""): string {
  const known = weightFiles.find((name) => names.includes(name));
  if (known !== undefined) return known;
  const [first, ...others] = names.filter((name) => name.endsWith(".pt") && !name.includes("/")).sort();
  if (first === undefined) {
    throw new InputError(
      `${where}: no weights: expected one of ${weightFiles.join(", ")}, or a .pt file${wayOut}`,
    );
  }
  if (others.length > 0) {
    throw new InputError(`${where}: which of its .pt files? Convert the one that is the model`, [
      first,
      ...others,
    ]);
  }
  return first;
}

export interface Weights {
  /** Tensors under the names that the model's modules have: prefixes of wrappers are gone. */
  readonly store: TensorStore;
  readonly format: "safetensors" | "sharded safetensors" | "zip" | "torchscript" | "legacy";
  /** What the file's state dict holds besides tensors. */
  readonly skipped: readonly string[];
}

/**
 * Opens a file of weights: safetensors, an index of shards, or one of PyTorch's.
 *
 * @throws InputError if it is none of them, or damaged
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
  return { store: unwrapped(await SafetensorsFile.open(source)), format: "safetensors", skipped: [] };
}

/** Opens the weights of a model directory. @throws InputError if there are none, or they are damaged */
export async function openWeights(directory: string, wayOut = ""): Promise<TensorStore> {
  return (await openWeightsFile(await findWeights(directory, wayOut))).store;
}

/** The first file of those names in the model directory, then in the folders below it that the config names. */
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

/** A config names folders inside its directory, nothing else of the machine. */
export function isInside(folder: string): boolean {
  return !/^([/\\]|[A-Za-z]:)/.test(folder) && !folder.split(/[/\\]/).includes("..");
}

/** Whether there is a file or folder of that name. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** @throws InputError if the file cannot be read or is not valid JSON */
export async function readJson(path: string): Promise<JsonValue> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return JsonValue.parse(bytes, path);
}

export async function readJsonIfThere(path: string): Promise<JsonValue | undefined> {
  return (await exists(path)) ? readJson(path) : undefined;
}
