/** The names of tokenizer files in model directories, in order of preference. */
export const tokenizerFiles = ["tokenizer.json", "sentencepiece.bpe.model", "vocab.txt", "spiece.model"];
