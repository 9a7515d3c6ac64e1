import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input-error.ts";
import { createTokenizer } from "../../lib/text/create-tokenizer.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";

export function tokenizerFrom(name: string, bytes: Uint8Array): Promise<Tokenizer> {
  return createTokenizer({ name, bytes }, { contextLength: 77 });
}

/** The file must be refused with one line that starts with its name. */
export async function assertRefused(name: string, bytes: Uint8Array, pattern = /./): Promise<void> {
  await assert.rejects(tokenizerFrom(name, bytes), (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(error.message.startsWith(`${name}: `), error.message);
    assert.doesNotMatch(error.message, /\n/);
    assert.match(error.message, pattern);
    return true;
  });
}

/** The file must be refused or give a tokenizer that works. */
export async function assertHarmless(name: string, bytes: Uint8Array): Promise<void> {
  try {
    (await tokenizerFrom(name, bytes)).tokenize("Il gatto ﬁ Å´\u0301 猫 e\u0301 <mask> ½");
  } catch (error) {
    assert.ok(error instanceof InputError, error instanceof Error ? error.stack : String(error));
    assert.doesNotMatch(error.message, /\n/);
  }
}

/**
 * The folder with the published vocabularies that are not part of the repository: bert-chinese-vocab.txt (the vocab.txt
 * of Chinese-CLIP) and rinna-roberta.spiece.model. Undefined if CLIPSCOPE_TOKENIZERS is not set.
 */
export function publishedTokenizers(): string | undefined {
  return process.env["CLIPSCOPE_TOKENIZERS"];
}
