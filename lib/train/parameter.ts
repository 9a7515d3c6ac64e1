/** A weight under training: its value, AdamW's moments, and how a step changes them. */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { RowTable } from "../tensor/row-table.ts";
import type { TensorStore } from "../tensor/store.ts";
import type { Weight } from "../tensor/weight.ts";
import type { AdamwUpdate } from "./adamw.ts";

/** What a checkpoint holds of a parameter. */
export type StatePart = "value" | "mean" | "square";

/** Moments in a checkpoint, in PyTorch's layout. */
export interface StoredMoments {
  /** @param first the first element */
  read(part: "mean" | "square", first: number, count: number): Promise<Float32Array>;
}

/** A weight or a table that a run trains. */
export interface Parameter {
  readonly handle: Weight | RowTable;
  /** A gradient as the backward pass returns it, in the shape of the parameter's state. Takes and gives ownership. */
  aligned(gradient: Tensor): Tensor;
  /** The sum of two aligned gradients. Takes and gives ownership. */
  sum(one: Tensor, other: Tensor): Tensor;
  /** One step of the optimizer. Takes ownership of the aligned gradient. */
  update(gradient: Tensor, update: AdamwUpdate): void;
  /** The numbers of a part, in PyTorch's layout, in pieces. */
  read(part: StatePart): AsyncIterable<Float32Array>;
  /**
   * Continues from a checkpoint.
   *
   * @param store holds the value under the handle's name; it stays open
   * @param moments null if there are none: then they are 0
   */
  restore(store: TensorStore, moments: StoredMoments | null): Promise<void>;
  /** Forgets the moments, and gives the weight's handle its stored value again. */
  dispose(): void;
}
