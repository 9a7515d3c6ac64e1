/** A tiny model that takes texts. Its fixture has no tokenizer: each letter is a token. */
import { Clip } from "../../lib/clip/clip.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";
import { readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { fixture } from "./paths.ts";

export const letters: Tokenizer = {
  contextLength: 77,
  vocabSize: 200,
  padId: 1,
  encode: (text) => [0, ...Array.from(text, (letter) => 3 + (letter.codePointAt(0)! % 190)), 2],
  tokenize(text) {
    return { cleaned: text, pieces: ["<s>", ...Array.from(text), "</s>"], ids: letters.encode(text) };
  },
};

/** Text and image embeddings have 24 numbers; images are 28 pixels high and 42 wide. */
export async function openTinyClip(): Promise<Clip> {
  const directory = fixture("tiny/gelu-mlp");
  const { config, preprocess } = await readModelDirectory(directory);
  const store = await openWeights(directory);
  return new Clip({ config, store, preprocess, loadTokenizer: () => Promise.resolve(letters) });
}
