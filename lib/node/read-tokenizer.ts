/** A model directory's tokenizer, without its network: nothing here needs tfjs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createBpeTokenizer } from "../clip/tokenizer/bpe-tokenizer.ts";
import { createXlmRobertaTokenizer, type Tokenizer } from "../clip/tokenizer/tokenizer.ts";
import { InputError } from "../tensor/errors.ts";
import { findFile, type ModelDirectory } from "./model-directory.ts";

/** The English models' merges come along: their directories hold no tokenizer. */
const bpeMerges = fileURLToPath(new URL("../../../assets/bpe-merges.txt.gz", import.meta.url));

const tokenizerFiles = ["tokenizer.json", "sentencepiece.bpe.model"];

/**
 * Reads the tokenizer of a model directory: its own, else that of the folders that the config names.
 *
 * @throws InputError if there is none, or it is damaged
 */
export async function readTokenizer({ path, config }: ModelDirectory): Promise<Tokenizer> {
  const { contextLength } = config.text;
  if (config.text.kind === "plain") {
    return createBpeTokenizer({ name: bpeMerges, bytes: await readFile(bpeMerges) }, { contextLength });
  }
  const { tokenizer } = config.text;
  const file = await findFile(path, tokenizer.folders, tokenizerFiles);
  if (file === null) {
    const places = [path, ...tokenizer.folders.map((folder) => join(path, folder))];
    throw new InputError(`no tokenizer: expected ${tokenizerFiles.join(" or ")} in ${places.join(", or ")}`);
  }
  const { clean, stripSeparator } = tokenizer;
  return createXlmRobertaTokenizer(
    { name: file, bytes: await readFile(file) },
    { contextLength, clean, stripSeparator },
  );
}
