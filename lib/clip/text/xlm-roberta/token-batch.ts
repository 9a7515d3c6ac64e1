/**
 * A batch of token ids as the text tower takes it: rows of one length, with the positions and the mask that follow.
 *
 * Source: transformers, create_position_ids_from_input_ids; open_clip/hf_model.py (mask = id ≠ pad).
 */
import type { IdGrid } from "../../../nn/embedding.ts";
import { InputError } from "../../../errors/input-error.ts";

export class TokenBatch {
  readonly tokens: IdGrid;
  /** 1 at tokens, 0 at padding. [B, L] */
  readonly mask: Float32Array;
  /** cumsum(mask) · mask + padId: the first token has padId + 1, padding has padId. [B, L] */
  readonly positions: IdGrid;

  /**
   * Pads rows to the longest of them, which is all the length that a batch needs: padding behind a row changes none
   * of its numbers.
   *
   * @param rows token ids; padding behind them is cut off first
   * @throws InputError for a row without a token, whose mean would be 0 / 0
   */
  constructor(rows: readonly (readonly number[])[], padId: number) {
    const lengths = rows.map((row) => row.findLastIndex((id) => id !== padId) + 1);
    const empty = lengths.indexOf(0);
    if (empty !== -1)
      throw new InputError(`row ${empty} of the token ids has no token, only padding: expected at least one`);
    const length = Math.max(...lengths);
    const shape = [rows.length, length] as const;
    const ids = new Int32Array(rows.length * length).fill(padId);
    const positions = new Int32Array(ids.length).fill(padId);
    this.mask = new Float32Array(ids.length);
    for (const [r, row] of rows.entries()) {
      let position = padId;
      for (const [i, id] of row.slice(0, length).entries()) {
        const at = r * length + i;
        ids[at] = id;
        if (id === padId) continue;
        this.mask[at] = 1;
        positions[at] = ++position;
      }
    }
    this.tokens = { ids, shape };
    this.positions = { ids: positions, shape };
  }
}
