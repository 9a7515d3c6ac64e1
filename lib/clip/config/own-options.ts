/**
 * Options of this package in an `open_clip_config.json`, under the key `clipscope`, which open_clip does not read. They say
 * what open_clip cannot: how the tokenizers of other projects differ from its own.
 */
import type { JsonValue } from "../../json/json-value.ts";
import type { ClipConfig, TokenizerConfig } from "./clip-config.ts";

/**
 * Applies the options.
 *
 * - `clean`: "none" for models whose texts are not cleaned before the tokenizer (open_clip always cleans);
 * - `tokenizer`: the only file that may be its tokenizer's, "spiece.model" or "vocab.txt";
 * - `wordpiece`: "cn-clip" for a `vocab.txt` that Chinese-CLIP's tokenizer reads.
 *
 * @param options the value of `clipscope`
 * @throws InputError for an unknown option, or a model whose tokenizer has none
 */
export function applyOwnOptions(config: ClipConfig, options: JsonValue): ClipConfig {
  if (options.isMissing) return config;
  const { text } = config;
  if (text.kind === "clip") throw options.error("no such options for CLIP's own tokenizer");
  const clean = options.at("clean");
  const tokenizer: TokenizerConfig = {
    ...text.tokenizer,
    ...(clean.isMissing ? {} : { clean: clean.oneOf("none") }),
    file: options.at("tokenizer").isMissing
      ? null
      : options.at("tokenizer").oneOf("spiece.model", "vocab.txt"),
    wordPiece: options.at("wordpiece").or("hugging-face").oneOf("hugging-face", "cn-clip"),
  };
  options.expectAllRead();
  return { ...config, text: { ...text, tokenizer } };
}
