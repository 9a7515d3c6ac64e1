/** The files that the studio's server sends, by their path in the address. Other files cannot be asked for. */
import { readdir } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors/input-error.ts";
import { exists } from "../files/exists.ts";
import { FileSource } from "../files/file-source.ts";
import { configName, demoModel, findWeights, readModelDirectory } from "../models/model-directory.ts";
import { findTokenizer } from "../models/read-tokenizer.ts";

/** A file, or a document that is made for this run. */
export type Entry = { readonly file: string } | { readonly json: unknown };

export type Manifest = ReadonlyMap<string, Entry>;

/** The built page. */
const pageFolder = fileURLToPath(new URL("../../../studio", import.meta.url));

/** In bytes of stored weights: a page keeps them in float32, in a heap of at most 4 GB. */
const largestWeights = 1e9;

/**
 * The page, the demo model, and a model directory if one is given.
 *
 * @throws InputError if the page is not built, or the model does not fit in a page
 */
export async function studioManifest(model?: string): Promise<Manifest> {
  const manifest = new Map<string, Entry>();
  if (!(await exists(join(pageFolder, "index.html")))) {
    throw new InputError(`${pageFolder}: the page is not built; run "npm run build"`);
  }
  await addFolder(manifest, pageFolder, "/");
  manifest.set("/", { file: join(pageFolder, "index.html") });
  await addFolder(manifest, demoModel, "/demo/");
  manifest.set("/studio.json", {
    json: { model: model === undefined ? null : await addModel(manifest, model) },
  });
  return manifest;
}

async function addFolder(manifest: Map<string, Entry>, folder: string, prefix: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    manifest.set(prefix + relative(folder, file).split(sep).join("/"), { file });
  }
}

/** Adds a model's files under "/model/" and returns what the page needs to load it. */
async function addModel(manifest: Map<string, Entry>, name: string): Promise<unknown> {
  const { path, hint, config } = await readModelDirectory(name);
  const weights = await findWeights(path, hint);
  if (!weights.endsWith(".safetensors")) {
    throw new InputError(
      `${weights}: the page reads one safetensors file; convert the model with "clipscope convert ${path} DEST"`,
    );
  }
  const source = await FileSource.open(weights);
  await source.close();
  if (source.size > largestWeights) {
    throw new InputError(
      `${weights}: expected at most ${largestWeights / 1e9} GB of weights, which fit in a page, found ` +
        `${(source.size / 1e9).toFixed(1)} GB; use a smaller model`,
    );
  }
  const tokenizer = await findTokenizer(path, config.text.tokenizer);
  const files = { config: join(path, configName), weights, ...(tokenizer !== null && { tokenizer }) };
  for (const file of Object.values(files)) manifest.set(`/model/${basename(file)}`, { file });
  // The text network's own config is in a folder that the config names.
  for (const folder of config.text.tokenizer.folders) {
    const file = join(path, folder, "config.json");
    if (await exists(file)) manifest.set(`/model/${folder}/config.json`, { file });
  }
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const file = join(path, entry.name, "config.json");
    if (entry.isDirectory() && (await exists(file)))
      manifest.set(`/model/${entry.name}/config.json`, { file });
  }
  return {
    name: basename(path),
    files: {
      config: basename(files.config),
      weights: basename(weights),
      tokenizer: tokenizer === null ? null : basename(tokenizer),
    },
  };
}
