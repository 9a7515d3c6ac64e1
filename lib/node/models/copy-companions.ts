/** The files next to a model's weights: its config, its tokenizer, and the config of its text network. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { architectureByName } from "../../clip/config/open-clip.ts";
import { tokenizerFiles } from "../../text/tokenizer-files.ts";
import { exists, isInside } from "../files/exists.ts";
import { syncFile } from "../files/sync-file.ts";
import { syncFolder } from "../files/sync-folder.ts";
import { readJsonIfThere } from "./json-file.ts";
import { configName, type ModelDirectory } from "./model-directory.ts";
import { findTokenizer } from "./read-tokenizer.ts";

/** Files that are copied from a model directory or a text network's folder, if they exist. */
const copiedFiles = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "sentencepiece.bpe.model",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "spiece.model",
];

/**
 * Writes a model's config into a folder, and copies its tokenizer and the text network's folder.
 *
 * @param name of the architecture; null if the config describes it
 * @returns the names of the files
 */
export async function copyCompanions(
  { path, config, preprocess, layout }: ModelDirectory,
  name: string | null,
  folder: string,
): Promise<string[]> {
  const files = [configName];
  const target = join(folder, configName);
  if (layout !== undefined) await writeJson(target, layout.config);
  else if (name === null) await copyFile(join(path, configName), target);
  else {
    const old = await readJsonIfThere(join(path, configName));
    const { mean, std, interpolation, resizeMode } = preprocess;
    const standard = { mean, std, interpolation, resize_mode: resizeMode };
    const json = {
      model_cfg: architectureByName(name),
      preprocess_cfg: old?.at("preprocess_cfg").value ?? standard,
    };
    await writeJson(target, json);
  }
  // open_clip looks for both the network's config and the tokenizer of another project's model in the folder "text".
  const below = layout?.textNetwork == null ? "" : "text";
  if (layout?.textNetwork != null) {
    await mkdir(join(folder, below), { recursive: true });
    await writeJson(join(folder, below, "config.json"), layout.textNetwork);
    files.push(join(below, "config.json"));
  }
  const folders = config.text.tokenizer.folders.filter(isInside);
  const candidates = [
    ...copiedFiles,
    ...folders.flatMap((below) => ["config.json", ...copiedFiles].map((file) => join(below, file))),
  ];
  // A Set, because a folder may be ".".
  for (const file of new Set(layout === undefined || below !== "" ? candidates : [])) {
    if (!(await exists(join(path, file)))) continue;
    const copy = join(below, file);
    await mkdir(dirname(join(folder, copy)), { recursive: true });
    await copyFile(join(path, file), join(folder, copy));
    files.push(copy);
  }
  if (
    config.text.tokenizer.folders.length > 0 &&
    !files.some((file) => tokenizerFiles.includes(basename(file)))
  ) {
    // From the hub's cache, so that the model directory is complete on other machines.
    const tokenizer = await findTokenizer(path, config.text.tokenizer);
    if (tokenizer !== null) {
      const copy = join(below, basename(tokenizer));
      await copyFile(tokenizer, join(folder, copy));
      files.push(copy);
    }
  }
  for (const file of files) await syncFile(join(folder, file));
  for (const inner of new Set(files.map(dirname))) await syncFolder(join(folder, inner));
  return files;
}

async function writeJson(path: string, json: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(json, null, 2)}\n`);
}
