/**
 * SentencePiece's own normalisation, which Hugging Face's only approximates: the longest match of the character map,
 * runs of spaces collapsed and trimmed, ▁ for each space and one in front.
 *
 * Source: google/sentencepiece, src/normalizer.cc, Normalizer::Normalize (add_dummy_prefix, remove_extra_whitespaces and
 * escape_whitespaces, the defaults)
 */
import type { Charsmap } from "./charsmap.ts";

/** @returns the empty string if only spaces remain */
export function normalizeAsSentencePiece(text: string, charsmap: Charsmap | undefined): string {
  let mapped = "";
  for (let at = 0; at < text.length;) {
    const match = charsmap?.longestMatch(text, at);
    const next = at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
    mapped += match?.replacement ?? text.slice(at, next);
    at = match?.end ?? next;
  }
  const words = mapped.split(" ").filter((word) => word !== "");
  return words.map((word) => `▁${word}`).join("");
}
