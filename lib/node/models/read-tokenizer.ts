/** Reads the tokenizer of a model directory, without loading tfjs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TokenizerConfig } from "../../clip/config/clip-config.ts";
import { tokenizerOptions } from "../../clip/config/tokenizer-options.ts";
import { createTokenizer } from "../../text/create-tokenizer.ts";
import { tokenizerFiles } from "../../text/tokenizer-files.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { InputError } from "../../errors/input-error.ts";
import { readWhole } from "../files/file-source.ts";
import { findFile, type ModelDirectory } from "./model-directory.ts";

/** The merges of the English models are bundled, because their directories have no tokenizer. */
const bpeMerges = fileURLToPath(new URL("../../../../assets/bpe-merges.txt.gz", import.meta.url));

/** XLM-R's tokenizer.json has 17 MB. */
const largestTokenizer = 2 ** 28;

/**
 * Reads the tokenizer of a model directory. It is looked for in the directory, then in the folders that the config
 * names, then in the hub's cache under repositories of these names.
 *
 * @throws InputError if it is missing or damaged
 */
export async function readTokenizer(directory: ModelDirectory): Promise<Tokenizer> {
  const { text } = directory.config;
  if (text.tokenizer.kind === "clip-bpe") {
    return createTokenizer({ name: bpeMerges, bytes: await readFile(bpeMerges) }, tokenizerOptions(text));
  }
  const file = await findTokenizer(directory.path, text.tokenizer);
  if (file === null) {
    const places = [directory.path, ...text.tokenizer.folders.map((folder) => join(directory.path, folder))];
    throw new InputError(
      `no tokenizer: expected ${namesOf(text.tokenizer).join(", ")} in ${places.join(", or ")}${directory.hint}`,
    );
  }
  return createTokenizer(
    { name: file, bytes: await readWhole(file, largestTokenizer) },
    tokenizerOptions(text),
  );
}

/** The names that a tokenizer's file may have, by preference. */
export function namesOf({ file }: TokenizerConfig): readonly string[] {
  return file === null ? tokenizerFiles : [file];
}

/** The file of a model's tokenizer; null if there is none. */
export async function findTokenizer(directory: string, config: TokenizerConfig): Promise<string | null> {
  const { folders } = config;
  const names = namesOf(config);
  const file = await findFile(directory, folders, names);
  if (file !== null) return file;
  const { CachedRepository, isRepositoryName } = await import("../hub/cache.ts");
  for (const name of folders.filter(isRepositoryName)) {
    const snapshot = await new CachedRepository(name).find("main");
    const cached = snapshot && (await findFile(snapshot, [], names));
    if (cached !== null) return cached;
  }
  return null;
}
