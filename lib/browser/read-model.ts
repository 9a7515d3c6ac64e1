/** A model directory in a browser. */
import { Clip } from "../clip/clip.ts";
import type { ClipConfig } from "../clip/config/clip-config.ts";
import { parseClipConfig } from "../clip/config/open-clip.ts";
import { applyOwnOptions } from "../clip/config/own-options.ts";
import { parsePreprocessConfig } from "../clip/config/preprocess-config.ts";
import { tokenizerOptions } from "../clip/config/tokenizer-options.ts";
import { InputError } from "../errors/input-error.ts";
import type { PreprocessConfig } from "../image/transform.ts";
import { JsonValue } from "../json/json-value.ts";
import { createTokenizer } from "../text/create-tokenizer.ts";
import { SafetensorsFile } from "../tensor/safetensors.ts";
import { ShardedSafetensors } from "../tensor/shards.ts";
import type { TensorStore } from "../tensor/store.ts";
import type { ModelFiles } from "./model-files.ts";
import type { ModelFolder } from "./model-folder.ts";

/** Larger models are read block by block in each pass, instead of being kept in memory. In bytes. */
const mostResident = 2 ** 30;

/** Loads a model. @throws InputError if a file is missing or damaged */
export async function readModel(folder: ModelFolder, files: ModelFiles): Promise<Clip> {
  const [configBytes, store] = await Promise.all([
    folder.bytes(files.config),
    openStore(folder, files.weights),
  ]);
  const { config, preprocess } = await readConfig(folder, configBytes, files.config);
  return new Clip({
    config,
    preprocess,
    store,
    residency: sizeOf(store) > mostResident ? "streamed" : "resident",
    loadTokenizer: async () => {
      if (files.tokenizer === null) throw new InputError(`${folder.name}: the model has no tokenizer`);
      const bytes = await folder.bytes(files.tokenizer);
      return createTokenizer({ name: files.tokenizer, bytes }, tokenizerOptions(config.text));
    },
  });
}

async function openStore(folder: ModelFolder, weights: string): Promise<TensorStore> {
  if (!weights.endsWith(".index.json")) return SafetensorsFile.open(await folder.source(weights));
  const index = JsonValue.parse(await folder.bytes(weights), `${folder.name}/${weights}`);
  return ShardedSafetensors.open(index, (shard) => folder.source(shard));
}

async function readConfig(
  folder: ModelFolder,
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly config: ClipConfig; readonly preprocess: PreprocessConfig }> {
  const json = JsonValue.parse(bytes, name);
  const parsed = await parseClipConfig(json.at("model_cfg").value, name, async (text) => {
    const path = `${text}/config.json`;
    return { json: JsonValue.parse(await folder.bytes(path), path).value, path };
  });
  const config = applyOwnOptions(parsed, json.at("clipscope"));
  const preprocess = parsePreprocessConfig(json.at("preprocess_cfg").value, config.vision.imageSize, name);
  return { config, preprocess };
}

function sizeOf({ tensors }: TensorStore): number {
  return [...tensors.values()].reduce((sum, { size }) => sum + size, 0);
}
