/** A batch of token ids as a text tower takes it: rows of equal length, and which of their ids are tokens. */
import { InputError } from "../../errors/input-error.ts";
import type { IdGrid } from "../../nn/embedding.ts";

/** How a tower reads a row of ids. */
export interface TokenRules {
  /** The id that fills a row up to the length of the batch. */
  readonly padId: number;
  /** The most tokens that the tower has positions for. */
  readonly maxTokens: number;
  /** Which ids of a row are tokens, and not padding. */
  isToken(row: readonly number[]): boolean[];
  /** The position of the token that represents the text. */
  readOutPosition(row: readonly number[]): number;
}

/** Rows of token ids, padded to one length, with the positions that are tokens. */
export class TokenBatch {
  readonly tokens: IdGrid;
  /** 1 for tokens, 0 for padding. [B, L] */
  readonly mask: Float32Array;
  /** Of each row, the position of the token that represents the text. */
  readonly readOutPositions: readonly number[];

  /**
   * Cuts the padding off rows and pads them to the longest of them: padding does not change the embedding of a row, so a
   * batch needs no more than that.
   *
   * @param rows token ids, with or without padding
   * @throws InputError for a row without a token, or with more tokens than the tower has positions for
   */
  constructor(rows: readonly (readonly number[])[], rules: TokenRules) {
    const isToken = rows.map((row) => rules.isToken(row));
    const lengths = isToken.map((row) => row.lastIndexOf(true) + 1);
    const empty = lengths.indexOf(0);
    if (empty !== -1) {
      throw new InputError(`row ${empty} of the token ids has no token, expected at least one`);
    }
    const tooLong = lengths.findIndex((length) => length > rules.maxTokens);
    if (tooLong !== -1) {
      throw new InputError(
        `row ${tooLong} of the token ids has ${lengths[tooLong]!} tokens, the text network has positions for ${rules.maxTokens}; shorten the text`,
      );
    }
    const length = lengths.reduce((most, one) => Math.max(most, one), 0);
    const ids = new Int32Array(rows.length * length).fill(rules.padId);
    this.mask = new Float32Array(ids.length);
    for (const [r, row] of rows.entries()) {
      ids.set(row.slice(0, lengths[r]), r * length);
      for (const [i, isOne] of isToken[r]!.slice(0, length).entries()) {
        if (isOne) this.mask[r * length + i] = 1;
      }
    }
    this.tokens = { ids, shape: [rows.length, length] };
    this.readOutPositions = rows.map((row) => rules.readOutPosition(row));
  }
}
