/**
 * How a text network numbers the positions of its tokens, and so how many tokens its table of positions holds.
 *
 * Source: transformers/models/xlm_roberta, create_position_ids_from_input_ids; transformers/models/bert, BertEmbeddings.
 */
import type { IdGrid } from "../../../nn/embedding.ts";
import type { TokenBatch } from "../token-batch.ts";

export interface PositionRule {
  /** The row of the position table for each id. [B, L], or [1, L] where all texts have the same */
  idsOf(batch: TokenBatch, padId: number): IdGrid;
  /** The most tokens of a text, for a table of so many rows. */
  maxTokens(rows: number, padId: number): number;
}

/**
 * cumsum(mask) · mask + padId: the first token has the position padId + 1, because padId itself is the position of
 * padding.
 */
export const positionsAfterPadding: PositionRule = {
  idsOf({ mask, tokens: { shape } }, padId) {
    const [batch, length] = shape;
    const ids = new Int32Array(mask.length).fill(padId);
    for (let row = 0; row < batch; row++) {
      let position = padId;
      for (let i = row * length; i < (row + 1) * length; i++) if (mask[i] === 1) ids[i] = ++position;
    }
    return { ids, shape };
  },
  maxTokens: (rows, padId) => rows - padId - 1,
};

/** The column of the id, whether it is a token or padding. */
export const positionsFromZero: PositionRule = {
  idsOf: ({ tokens: { shape } }) => ({
    ids: Int32Array.from({ length: shape[1] }, (_, column) => column),
    shape: [1, shape[1]],
  }),
  maxTokens: (rows) => rows,
};
