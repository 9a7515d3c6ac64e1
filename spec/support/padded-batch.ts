import { TokenBatch } from "../../lib/clip/text/token-batch.ts";

/** A batch of ids in which every id but the padding is a token. */
export function paddedBatch(rows: number[][], padId = 1): TokenBatch {
  return new TokenBatch(rows, {
    padId,
    maxTokens: 77,
    isToken: (row) => row.map((id) => id !== padId),
    readOutPosition: () => 0,
  });
}
