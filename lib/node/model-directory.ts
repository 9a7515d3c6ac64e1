/**
 * A model directory: what a download of an OpenCLIP repository holds. See docs/model-directory.md for the files.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { architectureByName, parseClipConfig, type ClipConfig } from "../clip/config.ts";
import { parsePreprocessConfig, type PreprocessConfig } from "../clip/preprocess/config.ts";
import { InputError } from "../tensor/errors.ts";
import { SafetensorsFile, type TensorStore } from "../tensor/safetensors.ts";
import { ShardedSafetensors } from "../tensor/shards.ts";
import { FileSource, unreadable } from "./file-source.ts";

/** The demo model that comes along. */
export const demoModel = fileURLToPath(new URL("../../../fixtures/demo-model", import.meta.url));

const configName = "open_clip_config.json";

export interface ModelDirectory {
  readonly path: string;
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
}

/**
 * Reads a model directory's config.
 *
 * @param path the directory
 * @param arch one of open_clip's names, for a directory without `open_clip_config.json`
 * @throws InputError if there is no such directory, no config, or one that is not understood
 */
export async function readModelDirectory(path: string, arch?: string): Promise<ModelDirectory> {
  const kind = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!kind.isDirectory()) throw new InputError(`${path}: expected a model directory, found a file`);
  const file = join(path, configName);
  const json = (await readJsonIfThere(file)) as { model_cfg?: unknown; preprocess_cfg?: unknown } | undefined;
  if (json === undefined && arch === undefined) {
    throw new InputError(`${path}: no ${configName}; put it there or name the architecture with --arch`);
  }
  const modelConfig = arch === undefined ? json?.model_cfg : architectureByName(arch);
  const where = arch === undefined ? `${file}: model_cfg` : `--arch ${arch}`;
  const config = await parseClipConfig(modelConfig, where, async (folder) => {
    const textConfig = join(path, folder, "config.json");
    const textJson = isInside(folder) ? await readJsonIfThere(textConfig) : undefined;
    return textJson === undefined ? null : { json: textJson, path: textConfig };
  });
  const preprocess = parsePreprocessConfig(json?.preprocess_cfg, config.vision.imageSize, file);
  return { path, config, preprocess };
}

/** Weights that may stand in a model directory: the first found is taken. */
const weightFiles = [
  "open_clip_model.safetensors",
  "open_clip_model.safetensors.index.json",
  "model.safetensors",
];

/** Opens the weights of a model directory. @throws InputError if there are none, or they are damaged */
export async function openWeights(directory: string): Promise<TensorStore> {
  for (const name of weightFiles) {
    const path = join(directory, name);
    if (!(await exists(path))) continue;
    if (!name.endsWith(".json")) return SafetensorsFile.open(await FileSource.open(path));
    return ShardedSafetensors.open(await readJson(path), path, (shard) =>
      FileSource.open(join(directory, shard)),
    );
  }
  throw new InputError(`${directory}: no weights: expected one of ${weightFiles.join(", ")}`);
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
function isInside(folder: string): boolean {
  return !/^([/\\]|[A-Za-z]:)/.test(folder) && !folder.split(/[/\\]/).includes("..");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** @throws InputError if the file cannot be read or is no JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: no valid JSON (${(error as Error).message})`);
  }
}

async function readJsonIfThere(path: string): Promise<unknown> {
  return (await exists(path)) ? readJson(path) : undefined;
}
