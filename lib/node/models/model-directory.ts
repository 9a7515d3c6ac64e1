/**
 * Model directories: the contents of a download of an OpenCLIP repository. docs/reference/model-directory.md lists the files.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Layout } from "../../checkpoint/layouts/index.ts";
import type { Pretrained } from "../../clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../clip/config/open-clip.ts";
import { applyOwnOptions } from "../../clip/config/own-options.ts";
import { parsePreprocessConfig } from "../../clip/config/preprocess-config.ts";
import type { PreprocessConfig } from "../../image/transform.ts";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { exists, isInside } from "../files/exists.ts";
import { unreadable } from "../files/file-source.ts";
import { findLayout } from "./foreign-model.ts";
import { readJsonIfThere } from "./json-file.ts";

/** The path of the bundled demo model. */
export const demoModel = fileURLToPath(new URL("../../../../fixtures/demo-model", import.meta.url));

export const configName = "open_clip_config.json";

export interface ModelDirectory {
  readonly path: string;
  /** What to do if a file is missing, to append to an error. */
  readonly hint: string;
  readonly config: ClipConfig;
  readonly preprocess: PreprocessConfig;
  /** How its weights become OpenCLIP's, if it is a model of another project. */
  readonly layout?: Layout;
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
    const layout = await findLayout(path);
    if (layout !== undefined) return { path, hint, layout, ...(await readForeignConfig(layout, path)) };
    throw new InputError(`${path}: no ${configName}; add the file or name the architecture`);
  }
  const modelConfig = named === undefined ? json?.at("model_cfg").value : architectureByName(named);
  const where = named === undefined ? `${file}: model_cfg` : `architecture ${named}`;
  const parsed = await parseClipConfig(modelConfig, where, async (folder) => {
    const textConfig = join(path, folder, "config.json");
    const textJson = isInside(folder) ? await readJsonIfThere(textConfig) : undefined;
    return textJson === undefined ? null : { json: textJson.value, path: textConfig };
  });
  const config = json === undefined ? parsed : applyOwnOptions(parsed, json.at("clipscope"));
  const preprocessConfig = json?.at("preprocess_cfg").value ?? known?.preprocess;
  const preprocess = parsePreprocessConfig(preprocessConfig, config.vision.imageSize, file);
  return { path, hint, config, preprocess };
}

/** The config of a model of another project. */
export async function readForeignConfig(
  { config: { model_cfg, preprocess_cfg, clipscope }, textNetwork }: Layout,
  path: string,
): Promise<Pick<ModelDirectory, "config" | "preprocess">> {
  const where = join(path, "config.json");
  const parsed = await parseClipConfig(model_cfg, where, () =>
    Promise.resolve(textNetwork === null ? null : { json: textNetwork, path: where }),
  );
  return {
    config: applyOwnOptions(parsed, JsonValue.of(clipscope ?? null, where)),
    preprocess: parsePreprocessConfig(preprocess_cfg, parsed.vision.imageSize, where),
  };
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
