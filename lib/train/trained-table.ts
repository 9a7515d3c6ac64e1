/**
 * A table under training (the word embeddings are 250,002 × 1024), of which only the rows are in memory that a text has
 * read. The others have a gradient of 0 and moments of 0, so AdamW only shrinks them: their value is the stored one times
 * the product of 1 − η λ over all steps. The result is that of updating the whole table.
 */
import {
  add,
  concat,
  gather,
  keep,
  pad,
  scatterND,
  tensor2d,
  tidy,
  zeros,
  type Rank,
  type Tensor,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { RowTable, type ChangedRows } from "../tensor/row-table.ts";
import type { TensorStore } from "../tensor/store.ts";
import { adamw, type AdamwUpdate } from "./adamw.ts";
import type { Parameter, StatePart, StoredMoments } from "./parameter.ts";

/** Rows of one piece of `read`. */
const pieceRows = 4096;

/** The rows in memory. [active, width] each */
type State = Readonly<Record<StatePart, Tensor2D>>;

const parts = ["value", "mean", "square"] as const;

/** A table whose rows a run trains. */
export class TrainedTable implements Parameter, ChangedRows {
  readonly handle: RowTable;
  /** Where rows that are not in memory are read. */
  #base: RowTable;
  /** What the rows of `#base` have been multiplied by. */
  #decay = 1;
  /** The row of `#state` for each id in memory. */
  #positions = new Map<number, number>();
  /** Null without any row. */
  #state: State | null = null;

  constructor(handle: RowTable) {
    this.handle = handle;
    this.#base = handle;
    handle.replaceRows(this);
  }

  /** How many rows are in memory. */
  get active(): number {
    return this.#positions.size;
  }

  get #width(): number {
    return this.handle.shape[1];
  }

  /** @param ids distinct @returns [ids, width] */
  async rowsOf(ids: readonly number[]): Promise<Tensor2D> {
    const known = ids.filter((id) => this.#positions.has(id));
    const others = ids.filter((id) => !this.#positions.has(id));
    const stored = this.#decayed(await this.#base.readStored(others));
    return tidy(() => {
      const found: Tensor2D[] = [];
      if (known.length > 0) found.push(gather(this.#state!.value, this.#positionsOf(known)));
      if (others.length > 0) found.push(tensor2d(stored, [others.length, this.#width]));
      const at = new Map([...known, ...others].map((id, i) => [id, i]));
      const order = Int32Array.from(ids, (id) => at.get(id)!);
      return gather(concat(found, 0), order);
    });
  }

  /**
   * Takes the rows of the running pass into memory.
   *
   * @param gradient of those rows @returns the gradient of all rows in memory; 0 for the others
   */
  aligned(gradient: Tensor): Tensor {
    const { ids, rows } = this.handle;
    const fresh = ids.flatMap((id, row) => (this.#positions.has(id) ? [] : [{ id, row }]));
    for (const { id } of fresh) this.#positions.set(id, this.#positions.size);
    if (fresh.length > 0) {
      this.#setState(() => {
        const none = zeros<Rank.R2>([fresh.length, this.#width]);
        const taken = gather(
          rows,
          Int32Array.from(fresh, ({ row }) => row),
        );
        return {
          value: this.#append("value", taken),
          mean: this.#append("mean", none),
          square: this.#append("square", none),
        };
      });
    }
    const whole = tidy(() => {
      const indices = tensor2d(this.#positionsOf(ids), [ids.length, 1], "int32");
      return scatterND(indices, gradient, [this.active, this.#width]);
    });
    gradient.dispose();
    return whole;
  }

  /** The later gradient is of more rows, if a pass between them has read others. */
  sum(one: Tensor, other: Tensor): Tensor {
    const sum = tidy(() => add(this.#grown(one), this.#grown(other)));
    one.dispose();
    other.dispose();
    return sum;
  }

  update(gradient: Tensor, update: AdamwUpdate): void {
    this.#decay *= 1 - update.rate * update.weightDecay;
    const state = this.#state;
    if (state !== null) {
      this.#setState(() => adamw(state, this.#grown(gradient), update) as State);
    }
    gradient.dispose();
  }

  /** Pieces of whole rows. */
  async *read(part: StatePart): AsyncIterable<Float32Array> {
    const active = await this.#state?.[part].data<"float32">();
    const [count] = this.handle.shape;
    const width = this.#width;
    for (let first = 0; first < count; first += pieceRows) {
      const rows = Math.min(pieceRows, count - first);
      const piece =
        part === "value"
          ? this.#decayed(await this.#base.readBlock(first, rows))
          : new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        const position = this.#positions.get(first + row);
        if (position === undefined || !active) continue;
        piece.set(active.subarray(position * width, (position + 1) * width), row * width);
      }
      yield piece;
    }
  }

  /**
   * Continues from a checkpoint: rows whose moments are not 0 are in memory afterwards, the others are read from it. A
   * run that has written a checkpoint does the same as one that resumes from it, so that both have the same numbers.
   *
   * @param store holds the values under the table's name
   * @param moments null for a checkpoint without them
   */
  async restore(store: TensorStore, moments: StoredMoments | null): Promise<void> {
    const [count] = this.handle.shape;
    const width = this.#width;
    this.#base = new RowTable(store, this.handle.name, this.handle.shape);
    this.#decay = 1;
    const ids: number[] = [];
    const found: Record<StatePart, Float32Array[]> = { value: [], mean: [], square: [] };
    for (let first = 0; moments !== null && first < count; first += pieceRows) {
      const rows = Math.min(pieceRows, count - first);
      const mean = await moments.read("mean", first * width, rows * width);
      const square = await moments.read("square", first * width, rows * width);
      for (let row = 0; row < rows; row++) {
        const [from, to] = [row * width, (row + 1) * width];
        const isZero = (values: Float32Array): boolean =>
          values.subarray(from, to).every((value) => value === 0);
        if (isZero(mean) && isZero(square)) continue;
        ids.push(first + row);
        found.mean.push(mean.slice(from, to));
        found.square.push(square.slice(from, to));
      }
    }
    for (const id of ids) found.value.push(await this.#base.readBlock(id, 1));
    this.#positions = new Map(ids.map((id, position) => [id, position]));
    this.#clear();
    if (ids.length > 0) {
      this.#setState(() => {
        const joined = (part: StatePart): Tensor2D => {
          const values = new Float32Array(ids.length * width);
          for (const [i, row] of found[part].entries()) values.set(row, i * width);
          return tensor2d(values, [ids.length, width]);
        };
        return { value: joined("value"), mean: joined("mean"), square: joined("square") };
      });
    }
  }

  dispose(): void {
    this.handle.replaceRows(null);
    this.#clear();
  }

  /** Stored rows as they are now, in place. In float64, so that a number is rounded once wherever it is read. */
  #decayed(stored: Float32Array): Float32Array {
    for (let i = 0; i < stored.length; i++) stored[i]! *= this.#decay;
    return stored;
  }

  #positionsOf(ids: readonly number[]): Int32Array {
    return Int32Array.from(ids, (id) => this.#positions.get(id)!);
  }

  #append(part: StatePart, rows: Tensor2D): Tensor2D {
    return this.#state === null ? rows : concat([this.#state[part], rows], 0);
  }

  /** An older gradient, with zeros for the rows that came into memory after it. */
  #grown(gradient: Tensor): Tensor {
    const missing = this.active - gradient.shape[0];
    return missing === 0
      ? gradient
      : pad(gradient, [
          [0, missing],
          [0, 0],
        ]);
  }

  #setState(compute: () => State): void {
    const next = parts.map((part) => part);
    const tensors = tidy(() => {
      const state = compute();
      return next.map((part) => keep(state[part].clone()));
    });
    this.#clear();
    const [value, mean, square] = tensors;
    this.#state = { value: value!, mean: mean!, square: square! };
  }

  #clear(): void {
    for (const part of parts) this.#state?.[part].dispose();
    this.#state = null;
  }
}
