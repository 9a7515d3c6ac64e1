/**
 * A table of which a pass needs a few rows (the word embeddings are 250,002 × 1024): only those rows are read, and the
 * most recently used ones are kept.
 */
import { keep, tensor2d, type Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import { bytesPerElement, toFloat32 } from "./dtype.ts";
import { tensorInfo, type TensorStore } from "./store.ts";

/** Memory for kept rows, in bytes: 16,384 rows of 1,024 numbers. */
const keptBytes = 64 * 1024 * 1024;

/** Rows that are used in place of the stored ones: those that training has changed. */
export interface ChangedRows {
  /** @param ids distinct @returns [ids, width]; the caller disposes it */
  rowsOf(ids: readonly number[]): Promise<Tensor2D>;
}

/** `load(ids)` makes the distinct rows of `ids` a tensor; `lookup` then gives each id's position in it. */
export class RowTable {
  /** In the state dict. */
  readonly name: string;
  readonly shape: readonly [rows: number, width: number];
  readonly #store: TensorStore;
  #rows: Tensor2D | null = null;
  #positions = new Map<number, number>();
  #changed: ChangedRows | null = null;
  /** The least recently used row first. */
  readonly #kept = new Map<number, Float32Array>();

  constructor(store: TensorStore, name: string, shape: readonly [number, number]) {
    this.#store = store;
    this.name = name;
    this.shape = shape;
  }

  get isLoaded(): boolean {
    return this.#rows !== null;
  }

  /** The ids whose rows are loaded, in the order of `rows`. */
  get ids(): number[] {
    return [...this.#positions.keys()];
  }

  /** The loaded rows. [distinct ids, width] */
  get rows(): Tensor2D {
    if (this.#rows === null) throw new Error(`${this.name} is used before load() or after release()`);
    return this.#rows;
  }

  /** The positions of the rows of `ids` in `rows`. @throws Error for an id that is not loaded */
  lookup(ids: Int32Array): Int32Array {
    return ids.map((id) => {
      const position = this.#positions.get(id);
      if (position === undefined) throw new Error(`${this.name}: row ${id} is not loaded`);
      return position;
    });
  }

  /** @throws InputError for an id outside the table */
  async load(ids: Int32Array): Promise<void> {
    const [count, width] = this.shape;
    const distinct = [...new Set(ids)].sort((a, b) => a - b);
    const outside = distinct.find((id) => id < 0 || id >= count);
    if (outside !== undefined) {
      throw new InputError(
        `${this.name}: id ${outside} is outside the table of ${count} rows: check that the tokenizer belongs to this model`,
      );
    }
    const rows =
      (await this.#changed?.rowsOf(distinct)) ??
      tensor2d(await this.readStored(distinct), [distinct.length, width]);
    this.dispose();
    this.#positions = new Map(distinct.map((id, position) => [id, position]));
    this.#rows = keep(rows);
  }

  /** Uses rows in place of the stored ones from now on; null for the stored ones again. */
  replaceRows(rows: ChangedRows | null): void {
    this.#changed = rows;
  }

  /** The rows of the file, one after another. @param ids distinct */
  async readStored(ids: readonly number[]): Promise<Float32Array> {
    const width = this.shape[1];
    await this.#read(ids.filter((id) => !this.#kept.has(id)));
    const values = new Float32Array(ids.length * width);
    for (const [position, id] of ids.entries()) {
      const row = this.#kept.get(id)!;
      values.set(row, position * width);
      this.#kept.delete(id);
      this.#kept.set(id, row);
    }
    const most = keptBytes / (4 * width);
    for (const id of this.#kept.keys()) {
      if (this.#kept.size <= most) break;
      this.#kept.delete(id);
    }
    return values;
  }

  /** Consecutive rows of the file, which are not kept. */
  async readBlock(first: number, count: number): Promise<Float32Array> {
    const { dtype } = tensorInfo(this.#store, this.name);
    const rowBytes = this.shape[1] * bytesPerElement[dtype];
    return toFloat32(dtype, await this.#store.read(this.name, first * rowBytes, count * rowBytes)).slice();
  }

  /** Reads rows into `#kept`. */
  async #read(ids: readonly number[]): Promise<void> {
    const width = this.shape[1];
    const { dtype } = tensorInfo(this.#store, this.name);
    const rowBytes = width * bytesPerElement[dtype];
    await Promise.all(
      runsOf(ids).map(async ({ first, length }) => {
        const bytes = await this.#store.read(this.name, first * rowBytes, length * rowBytes);
        const values = toFloat32(dtype, bytes);
        // Copies, so that a kept row does not hold the memory of all rows that were read with it.
        for (let i = 0; i < length; i++) this.#kept.set(first + i, values.slice(i * width, (i + 1) * width));
      }),
    );
  }

  /** Rows belong to one pass, so they are released whatever the residency. */
  release(): void {
    this.dispose();
  }

  dispose(): void {
    this.#rows?.dispose();
    this.#rows = null;
  }
}

/** Neighbouring ids are read together: [3, 4, 5, 9] is a run of three from 3 and a run of one from 9. */
function runsOf(sorted: readonly number[]): { first: number; length: number }[] {
  const runs: { first: number; length: number }[] = [];
  for (const id of sorted) {
    const last = runs.at(-1);
    if (last && id === last.first + last.length) last.length++;
    else runs.push({ first: id, length: 1 });
  }
  return runs;
}
