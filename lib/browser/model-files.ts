/** Which files of a model directory a page needs. */
import { InputError } from "../errors/input-error.ts";
import { tokenizerFiles } from "../text/tokenizer-files.ts";

/** The files of a model directory that a page needs, by name relative to the directory. */
export interface ModelFiles {
  readonly config: string;
  /** A safetensors file, or the index of its shards. */
  readonly weights: string;
  /** Null if the model has none: it embeds images only. */
  readonly tokenizer: string | null;
}

const weightNames = [
  "open_clip_model.safetensors",
  "open_clip_model.safetensors.index.json",
  "model.safetensors",
];

/**
 * Finds the files of a dropped model directory.
 *
 * @param paths relative to the directory
 * @throws InputError if it has no weights that a page can read
 */
export function findModelFiles(name: string, paths: readonly string[]): ModelFiles {
  const weights = weightNames.find((one) => paths.includes(one));
  if (weights === undefined) {
    const torch = paths.find((path) => /\.(pt|pth|bin)$/.test(path));
    throw new InputError(
      torch === undefined
        ? `${name}: expected weights (${weightNames.join(", ")}), found none`
        : `${name}: expected safetensors, found ${torch}; run "clipscope convert" first`,
    );
  }
  const inFolder = (file: string): string | undefined =>
    paths.includes(file) ? file : paths.find((path) => path.endsWith(`/${file}`));
  const tokenizer = tokenizerFiles.map(inFolder).find((path) => path !== undefined);
  return { config: "open_clip_config.json", weights, tokenizer: tokenizer ?? null };
}
