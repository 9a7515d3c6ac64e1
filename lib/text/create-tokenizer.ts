import { InputError } from "../errors/input-error.ts";
import { BpeTokenizer } from "./bpe/bpe-tokenizer.ts";
import { readMerges } from "./readers/merges.ts";
import { readRinnaModel } from "./readers/rinna-model.ts";
import { parseTokenizerJson } from "./readers/tokenizer-json.ts";
import { readUnigramJson } from "./readers/unigram-json.ts";
import { readVocabTxt } from "./readers/vocab-txt.ts";
import { readWordPieceJson } from "./readers/wordpiece-json.ts";
import { readXlmRobertaModel } from "./readers/xlm-roberta-model.ts";
import type { Tokenizer, TokenizerFile, TokenizerOptions } from "./tokenizer.ts";
import { UnigramTokenizer } from "./unigram/unigram-tokenizer.ts";
import { WordPieceTokenizer } from "./wordpiece/wordpiece-tokenizer.ts";

/** A format of tokenizer files: the end of their names, and how to create a tokenizer from one. */
interface TokenizerFormat {
  readonly ending: string;
  readonly create: (file: TokenizerFile, options: TokenizerOptions) => Tokenizer | Promise<Tokenizer>;
}

const formats: readonly TokenizerFormat[] = [
  {
    ending: "tokenizer.json",
    create: (file, options) => {
      const json = parseTokenizerJson(file);
      return json.at("model").at("type").value === "WordPiece"
        ? new WordPieceTokenizer(readWordPieceJson(json), options)
        : new UnigramTokenizer(readUnigramJson(json), options);
    },
  },
  {
    ending: "sentencepiece.bpe.model",
    create: (file, options) => new UnigramTokenizer(readXlmRobertaModel(file), options),
  },
  {
    ending: "vocab.txt",
    create: (file, options) => new WordPieceTokenizer(readVocabTxt(file, options), options),
  },
  {
    ending: "spiece.model",
    create: (file, options) => new UnigramTokenizer(readRinnaModel(file), options),
  },
  { ending: ".txt.gz", create: async (file, options) => new BpeTokenizer(await readMerges(file), options) },
];

/**
 * Creates a tokenizer from a file: a Hugging Face `tokenizer.json` (unigram or WordPiece), XLM-R's
 * `sentencepiece.bpe.model`, BERT's `vocab.txt`, rinna's `spiece.model`, or the English models' merges (`.txt.gz`). The
 * end of the file's name selects the format.
 *
 * @throws InputError if the file is damaged or has content that is not implemented, or if `contextLength` is under 2
 */
export async function createTokenizer(file: TokenizerFile, options: TokenizerOptions): Promise<Tokenizer> {
  const { contextLength } = options;
  if (!Number.isInteger(contextLength) || contextLength < 2) {
    throw new InputError(
      `expected a context length of 2 or more, found ${contextLength}; set text_cfg.context_length in open_clip_config.json`,
    );
  }
  const format = formats.find(({ ending }) => file.name.endsWith(ending));
  if (format === undefined) {
    const endings = formats.map(({ ending }) => ending).join(", ");
    throw new InputError(
      `${file.name}: expected a tokenizer file, whose name ends in one of ${endings}; rename the file or use another`,
    );
  }
  return format.create(file, options);
}
