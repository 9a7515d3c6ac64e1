/**
 * Splits a text into BERT's words: cleaned, with Chinese characters apart, in lower case without accents, and with each
 * punctuation mark as a word.
 *
 * Chinese-CLIP's Python and Hugging Face's Rust differ in a few characters, so both are here. A model needs the one that
 * it was trained with.
 *
 * Source: google-research/bert, tokenization.py (BasicTokenizer), which cn_clip/clip/bert_tokenizer.py keeps;
 * huggingface/tokenizers 0.23.2, normalizers/bert.rs and pre_tokenizers/bert.rs
 */
import { controls, marks, punctuation } from "./hugging-face-characters.ts";

/** Splits a text into words. */
export type SplitWords = (text: string) => readonly string[];

const ideographs =
  "\u4e00-\u9fff\u3400-\u4dbf\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}\\u{2b740}-\\u{2b81f}";
const compatibility = "\uf900-\ufaff\\u{2f800}-\\u{2fa1f}";
const chinese = new RegExp(`[${ideographs}\\u{2b820}-\\u{2ceaf}${compatibility}]`, "gu");
/** Hugging Face's last block begins 256 characters late. */
const huggingFaceChinese = new RegExp(`[${ideographs}\\u{2b920}-\\u{2ceaf}${compatibility}]`, "gu");

/** All but tab, line feed and carriage return. */
const pythonControls = /[\0\ufffd]|(?![\t\n\r])[\p{Cc}\p{Cf}]/gu;
const pythonSpaces = /[\p{Zs}\t\n\r\u2028\u2029]+/u;
const pythonPunctuation = /[!-/:-@[-`{-~]|\p{P}/gu;

/** As cn_clip's tokenizer, which lower-cases each word (a final Σ becomes ς). */
export function cnClipWords(text: string): string[] {
  return text
    .replace(pythonControls, "")
    .replace(chinese, " $& ")
    .split(pythonSpaces)
    .flatMap((word) =>
      separate(
        word
          .toLowerCase()
          .normalize("NFD")
          .replace(/\p{Mn}/gu, ""),
        pythonPunctuation,
      ),
    );
}

/** The options of `BertNormalizer` in a tokenizer.json. */
export interface BertNormalizerOptions {
  readonly cleanText: boolean;
  readonly handleChinese: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** What `BertTokenizer` of transformers does unless a file says otherwise. */
export const uncased: BertNormalizerOptions = {
  cleanText: true,
  handleChinese: true,
  stripAccents: true,
  lowercase: true,
};

/** As Hugging Face's `BertNormalizer` and `BertPreTokenizer`. */
export function huggingFaceWords(options: BertNormalizerOptions): SplitWords {
  return (text) => {
    if (options.cleanText) text = text.replace(controls, "").replace(/\p{White_Space}/gu, " ");
    if (options.handleChinese) text = text.replace(huggingFaceChinese, " $& ");
    if (options.stripAccents) text = text.normalize("NFD").replace(marks, "");
    // By character, so that a final Σ becomes σ.
    if (options.lowercase) text = text.replaceAll("Σ", "σ").toLowerCase();
    return text.split(/\p{White_Space}+/u).flatMap((word) => separate(word, punctuation));
  };
}

/** Splits a word before and after each match of the pattern. */
function separate(word: string, pattern: RegExp): string[] {
  return word
    .replace(pattern, " $& ")
    .split(" ")
    .filter((part) => part !== "");
}
