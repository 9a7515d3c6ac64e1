/**
 * y[b, l] = weight[ids[b, l]]
 *
 * Source: torch.nn.Embedding. State dict: `weight` [rows, width], of which only the rows of the given ids are read.
 */
import { gather, tensor2d, type Tensor3D } from "@tensorflow/tfjs-core";
import type { WeightScope } from "../tensor/model-weights.ts";
import type { RowTable } from "../tensor/row-table.ts";
import type { Loadable } from "../tensor/weight.ts";
import { Module } from "./module.ts";

/** Integers in a grid: token ids, positions. */
export interface IdGrid {
  /** Row by row. */
  readonly ids: Int32Array;
  readonly shape: readonly [batch: number, length: number];
}

export class Embedding extends Module<[grid: IdGrid], Tensor3D> {
  readonly weight: RowTable;

  constructor(scope: WeightScope, rows: number, width: number) {
    super(scope);
    this.weight = scope.table("weight", [rows, width]);
  }

  /** The rows that a grid of ids needs. */
  rowsOf({ ids }: IdGrid): Loadable {
    return {
      load: () => this.weight.load(ids),
      release: () => {
        this.weight.release();
      },
    };
  }

  /** @param grid [B, L], of which the rows are loaded @returns [B, L, width] */
  protected forward({ ids, shape: [batch, length] }: IdGrid): Tensor3D {
    const positions = tensor2d(this.weight.lookup(ids), [batch, length], "int32"); // [B, L]
    return gather(this.weight.rows, positions) as unknown as Tensor3D; // [B, L, width]
  }
}
