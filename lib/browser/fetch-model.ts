/** A model directory behind HTTP. */
import { Clip } from "../clip/clip.ts";
import { parseClipConfig } from "../clip/config/open-clip.ts";
import { applyOwnOptions } from "../clip/config/own-options.ts";
import { parsePreprocessConfig } from "../clip/config/preprocess-config.ts";
import { tokenizerOptions } from "../clip/config/tokenizer-options.ts";
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { createTokenizer } from "../text/create-tokenizer.ts";
import { SafetensorsFile } from "../tensor/safetensors.ts";
import type { ByteSource } from "../tensor/store.ts";
import { BytesSource } from "../tensor/bytes-source.ts";
import { fetchBytes } from "./fetch-bytes.ts";

/** The files of a model directory that a page needs, by name relative to the directory. */
export interface ModelFiles {
  readonly config: string;
  readonly weights: string;
  /** Null if the model has none: it embeds images only. */
  readonly tokenizer: string | null;
}

export interface FetchModelOptions {
  /** Called with the bytes loaded of the weights. */
  readonly onProgress?: (loaded: number, total: number) => void;
}

/**
 * Loads a model whose weights fit in memory. The weights are loaded in one request.
 *
 * @param folder the address of the directory, which ends in "/"
 * @throws InputError if a file is missing or damaged
 */
export async function fetchModel(
  folder: string,
  files: ModelFiles,
  { onProgress }: FetchModelOptions = {},
): Promise<Clip> {
  const [configBytes, weights] = await Promise.all([
    fetchBytes(folder + files.config),
    fetchBytes(folder + files.weights, onProgress),
  ]);
  const json = JsonValue.parse(configBytes, files.config);
  const parsed = await parseClipConfig(json.at("model_cfg").value, files.config, async (text) => {
    const path = `${text}/config.json`;
    return { json: JsonValue.parse(await fetchBytes(folder + path), path).value, path };
  });
  const config = applyOwnOptions(parsed, json.at("clipscope"));
  const preprocess = parsePreprocessConfig(
    json.at("preprocess_cfg").value,
    config.vision.imageSize,
    files.config,
  );
  const source: ByteSource = new BytesSource(files.weights, weights);
  return new Clip({
    config,
    preprocess,
    store: await SafetensorsFile.open(source),
    residency: "resident",
    loadTokenizer: async () => {
      if (files.tokenizer === null) throw new InputError(`${folder}: the model has no tokenizer`);
      const bytes = await fetchBytes(folder + files.tokenizer);
      return createTokenizer({ name: files.tokenizer, bytes }, tokenizerOptions(config.text));
    },
  });
}
