/** Finds models of other projects: directories with a `config.json` of Hugging Face's, or a checkpoint of cn_clip. */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cnClipByShapes, isCnClip, readLayout, type Layout } from "../../checkpoint/layouts/index.ts";
import { exists } from "../files/exists.ts";
import { readJsonIfThere } from "./json-file.ts";
import { openWeightsFile } from "./weights-file.ts";

export const foreignConfigName = "config.json";

/**
 * The layout of a model directory without an `open_clip_config.json`; undefined if it is of no known kind.
 *
 * @throws InputError if its config has options that are not supported
 */
export async function findLayout(directory: string): Promise<Layout | undefined> {
  if (await exists(join(directory, foreignConfigName))) return readLayoutIn(directory);
  const checkpoints = (await readdir(directory)).filter((name) => name.endsWith(".pt"));
  const [first, ...others] = checkpoints;
  return first === undefined || others.length > 0 ? undefined : findLayoutOfFile(join(directory, first));
}

/** The layout of one file of weights, by its names and the `config.json` next to it; undefined if it is OpenCLIP's. */
export async function findLayoutOfFile(path: string): Promise<Layout | undefined> {
  const { store } = await openWeightsFile(path);
  try {
    const isForeign = isCnClip(store) || store.tensors.has("visual_projection.weight");
    const layout = isForeign ? await readLayoutIn(dirname(path)) : undefined;
    return layout ?? (isCnClip(store) ? cnClipByShapes(store) : undefined);
  } finally {
    await store.close();
  }
}

async function readLayoutIn(directory: string): Promise<Layout | undefined> {
  const config = await readJsonIfThere(join(directory, foreignConfigName));
  const preprocessor = await readJsonIfThere(join(directory, "preprocessor_config.json"));
  return config && readLayout({ config, preprocessor });
}
