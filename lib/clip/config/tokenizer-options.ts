import type { TokenizerOptions } from "../../text/tokenizer.ts";
import type { TextConfig } from "./clip-config.ts";

/** How a model's tokenizer reads its file and its texts. */
export function tokenizerOptions(text: TextConfig): TokenizerOptions {
  const { contextLength, tokenizer } = text;
  const { clean, stripSeparator, wordPiece: dialect } = tokenizer;
  // Chinese-CLIP's vocabulary has a line for each row of the word table. Elsewhere, tables may have more rows.
  const size = dialect === "cn-clip" && text.kind === "bert" ? { vocabSize: text.network.vocabSize } : {};
  return { contextLength, clean, stripSeparator, dialect, ...size };
}
