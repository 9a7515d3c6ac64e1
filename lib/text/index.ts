export { createBpeTokenizer } from "./bpe/bpe-tokenizer.ts";
export { clean, cleanLower } from "./clean/clean.ts";
export { createXlmRobertaTokenizer } from "./tokenizer.ts";
export type { TokenizedText, Tokenizer, TokenizerFile } from "./tokenizer.ts";
