/**
 * The interface of a text tower. The kinds of text tower are listed in registry.ts; nothing else distinguishes them.
 */
import type { LayerNorm } from "../../nn/layer-norm.ts";
import { Tower } from "../../nn/tower.ts";
import { TokenBatch, type TokenRules } from "./token-batch.ts";

/** A text tower: batches of token ids to embeddings [B, embedDim]. */
export abstract class TextTower extends Tower<TokenBatch> implements TokenRules {
  abstract readonly padId: number;
  abstract readonly maxTokens: number;
  abstract isToken(row: readonly number[]): boolean[];
  abstract readOutPosition(row: readonly number[]): number;

  /** Modules of PyTorch's tower that return their input here: they have a tap there and none in this code. */
  abstract readonly identities: readonly string[];

  /** Taps whose values training drops at random, and the share of them. */
  abstract readonly dropout: ReadonlyMap<string, number>;

  /** The norm of the stream before the read-out; null for a tower whose blocks end with a norm. */
  get finalNorm(): LayerNorm | null {
    return null;
  }

  /** @throws InputError as `TokenBatch` */
  batch(rows: readonly (readonly number[])[]): TokenBatch {
    return new TokenBatch(rows, this);
  }
}
