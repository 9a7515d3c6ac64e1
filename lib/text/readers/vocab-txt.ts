/**
 * Reads BERT's `vocab.txt`: one piece a line, whose number is its id.
 *
 * The file holds no settings. Chinese-CLIP's is read as cn_clip reads it, others as Hugging Face's `BertTokenizer`.
 *
 * Source: cn_clip/clip/bert_tokenizer.py, load_vocab and FullTokenizer; transformers, BertTokenizer
 */
import { InputError } from "../../errors/input-error.ts";
import type { TokenizerFile, TokenizerOptions } from "../tokenizer.ts";
import { cnClipWords, huggingFaceWords, uncased } from "../wordpiece/bert-words.ts";
import type { WordPieceParts } from "../wordpiece/wordpiece-tokenizer.ts";

const specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] as const;

/** @throws InputError if the file is damaged */
export function readVocabTxt(
  { name, bytes }: TokenizerFile,
  { dialect = "hugging-face", vocabSize }: Pick<TokenizerOptions, "dialect" | "vocabSize">,
): WordPieceParts {
  const pieces = readPieces(name, bytes);
  if (vocabSize !== undefined && pieces.length !== vocabSize) {
    throw new InputError(
      `${name}: expected ${vocabSize} lines, one for each row of the text network's word table, found ${pieces.length}; download the file again`,
    );
  }
  // If a piece occurs twice, the last line counts, as in Python's dictionary.
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const [padId, unknownId, startId, endId] = specialTokens.map((token) => {
    const id = ids.get(token);
    if (id === undefined) {
      throw new InputError(
        `${name}: expected a line "${token}", found none in ${pieces.length} lines; use BERT's vocab.txt`,
      );
    }
    return id;
  }) as [number, number, number, number];
  const common = { ids, prefix: "##", padId, unknownId, startId, endId };
  if (dialect === "cn-clip") {
    return { ...common, addedTokens: [], splitWords: cnClipWords, longestWord: 200 };
  }
  const addedTokens = [...specialTokens, "[MASK]"].flatMap((content) => {
    const id = ids.get(content);
    return id === undefined
      ? []
      : [{ content, id, stripsLeft: false, stripsRight: false, isNormalized: false }];
  });
  return { ...common, addedTokens, splitWords: huggingFaceWords(uncased), longestWord: 100 };
}

/** Splits at line feeds only: some pieces are other line separators. */
function readPieces(name: string, bytes: Uint8Array): string[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InputError(`${name}: expected UTF-8 text, found other bytes; download the file again`, [], {
      cause,
    });
  }
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  if (lines.at(-1) === "") lines.pop();
  const blank = lines.indexOf("");
  if (blank !== -1) {
    throw new InputError(
      `${name}: expected a piece in line ${blank + 1}, found nothing; download the file again`,
    );
  }
  return lines;
}
