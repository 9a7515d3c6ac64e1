/**
 * ModelWeights as the layers see them: handles that are asked for by name when the network is built, and loaded and
 * released while it runs, block by block, so that a tower may be larger than the backend's memory.
 *
 * The path of a scope is the state-dict prefix, to the letter: `scope.at("ln_1").get("weight", [1280])`. Building a
 * network only collects handles; what is missing, misshapen or left over is reported whole by `assertAllRead()`.
 */
import {
  reshape,
  tensor,
  tidy,
  transpose,
  type Rank,
  type ShapeMap,
  type Tensor,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { bytesPerElement, elementCount, toFloat32, weightDtypes } from "./dtype.ts";
import { InputError } from "../errors/input-error.ts";
import { tensorInfo, type TensorStore } from "./safetensors.ts";
import { weightReader, type StoredMatrix, type WeightReader } from "./weight-reader.ts";

/**
 * The one table of layout changes: how a stored weight is permuted when it is loaded.
 *
 * - `asStored`: not at all.
 * - `linear`: PyTorch keeps [out, in]; the product x · W wants [in, out] (half the time of a transposed product).
 * - `conv2d`: PyTorch keeps [out, in, height, width]; tfjs's channels-last convolution wants [height, width, in, out].
 */
const permutations = {
  asStored: null,
  linear: [1, 0],
  conv2d: [2, 3, 1, 0],
} as const;

export type Layout = keyof typeof permutations;

/**
 * `resident`: a weight stays from its first use until `dispose()`.
 * `streamed`: a weight is there only between `load()` and `release()`.
 */
export type Residency = "resident" | "streamed";

/** A weight that can be loaded. Inside a layer's `forward` it is loaded, and `tensor` is there. */
export class Weight<R extends Rank = Rank> {
  readonly name: string;
  /** As stored, in PyTorch's order. */
  readonly shape: ShapeMap[R];
  readonly #layout: Layout;
  readonly #weights: ModelWeights;
  #tensor: Tensor<R> | null = null;
  /** Its bytes, on their way since `prefetch`. */
  #coming: Promise<Uint8Array> | null = null;

  constructor(weights: ModelWeights, name: string, shape: ShapeMap[R], layout: Layout) {
    this.#weights = weights;
    this.name = name;
    this.shape = shape;
    this.#layout = layout;
  }

  get isLoaded(): boolean {
    return this.#tensor !== null;
  }

  /** Undoes the layout's permutation: a gradient of `tensor` in the order of the file. */
  asStored(value: Tensor<R>): Tensor<R> {
    const permutation = permutations[this.#layout];
    if (permutation === null) return value.clone();
    const inverse = permutation.map((_, axis) => permutation.findIndex((from) => from === axis));
    return transpose(value, inverse);
  }

  /** float32, permuted as the layout says. */
  get tensor(): Tensor<R> {
    if (this.#tensor === null) throw new Error(`${this.name} is used before load() or after release()`);
    return this.#tensor;
  }

  async load(): Promise<void> {
    this.#tensor ??= this.#readDirectly();
    if (this.#tensor !== null) return;
    const { store } = this.#weights;
    const coming = this.#coming ?? store.read(this.name);
    this.#coming = null;
    const values = toFloat32(tensorInfo(store, this.name).dtype, await coming);
    const permutation = permutations[this.#layout];
    this.#tensor ??= tidy(() => {
      const stored = tensor(values, this.shape);
      return permutation === null ? stored : transpose(stored, [...permutation]);
    });
  }

  /** Begins to read what `load` will want, without waiting for it. */
  prefetch(): void {
    if (this.#tensor !== null || this.#coming !== null) return;
    const direct = this.#direct();
    if (direct !== null) {
      direct.reader.readAhead(direct.matrix);
      return;
    }
    this.#coming = this.#weights.store.read(this.name);
    this.#coming.catch(() => undefined); // `load` tells
  }

  /** By the backend's own way. null where it has none, or fails: then the ordinary way works, or says what is wrong. */
  #readDirectly(): Tensor<R> | null {
    const direct = this.#direct();
    if (direct === null) return null;
    try {
      return tidy(() => {
        const matrix = direct.reader.read(direct.matrix, this.#layout === "linear");
        const shape = this.#layout === "linear" ? matrix.shape : this.shape;
        return reshape(matrix, shape as ShapeMap[R]);
      });
    } catch {
      return null;
    }
  }

  #direct(): { reader: WeightReader; matrix: StoredMatrix } | null {
    const reader = weightReader();
    const { store } = this.#weights;
    const place = store.place?.(this.name);
    if (reader === undefined || place === undefined || this.#layout === "conv2d") return null;
    const columns = this.shape.at(-1) ?? 1;
    const rows = elementCount(this.shape) / columns;
    return { reader, matrix: { ...place, dtype: tensorInfo(store, this.name).dtype, rows, columns } };
  }

  /** Gives the memory back where weights are streamed. */
  release(): void {
    if (this.#weights.residency === "streamed") this.dispose();
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = null;
    this.#coming = null;
  }
}

/** ModelWeights that can be loaded and released: a scope with everything below it, or a single weight. */
export interface Loadable {
  load(): Promise<void>;
  release(): void;
}

/** Rows that a table keeps, in bytes: 16,384 of 1,024 numbers. */
const keptBytes = 64 * 1024 * 1024;

/**
 * A table of which a pass needs a few rows (word embeddings: 250,002 × 1024): only those are read, and those used last
 * are kept.
 *
 * `load(ids)` makes the rows of `ids` a tensor, each once; `lookup` then says where each id's row went.
 */
export class RowTable {
  readonly name: string;
  readonly shape: readonly [rows: number, width: number];
  readonly #store: TensorStore;
  #rows: Tensor2D | null = null;
  #positions = new Map<number, number>();
  /** The row used longest ago first. */
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

  /** The rows that are loaded. [distinct ids, width] */
  get rows(): Tensor2D {
    if (this.#rows === null) throw new Error(`${this.name} is used before load() or after release()`);
    return this.#rows;
  }

  /** Where the rows of `ids` stand in `rows`. @throws Error for an id that was not loaded */
  lookup(ids: Int32Array): Int32Array {
    return ids.map((id) => {
      const position = this.#positions.get(id);
      if (position === undefined) throw new Error(`${this.name}: row ${id} was not loaded`);
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
        `${this.name}: id ${outside} is outside the table of ${count} rows: does the tokenizer belong to this model?`,
      );
    }
    await this.#read(distinct.filter((id) => !this.#kept.has(id)));
    const values = new Float32Array(distinct.length * width);
    for (const [position, id] of distinct.entries()) {
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
    this.dispose();
    this.#positions = new Map(distinct.map((id, position) => [id, position]));
    this.#rows = tensor(values, [distinct.length, width]);
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
        // Copies, lest a row keep its whole run in memory.
        for (let i = 0; i < length; i++) this.#kept.set(first + i, values.slice(i * width, (i + 1) * width));
      }),
    );
  }

  /** Rows belong to one pass: they go whatever the residency. */
  release(): void {
    this.dispose();
  }

  dispose(): void {
    this.#rows?.dispose();
    this.#rows = null;
  }
}

/** Neighbouring ids are read at once: [3, 4, 5, 9] is a run of three from 3 and one of one. */
function runsOf(sorted: readonly number[]): { first: number; length: number }[] {
  const runs: { first: number; length: number }[] = [];
  for (const id of sorted) {
    const last = runs.at(-1);
    if (last && id === last.first + last.length) last.length++;
    else runs.push({ first: id, length: 1 });
  }
  return runs;
}

/**
 * Loads several at once. Where one fails the others are waited for all the same: what arrived after the release would
 * stay for good.
 */
export async function loadAll(parts: readonly { load(): Promise<void> }[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part.load()));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** All weights of a model: the root of its scopes. */
export class ModelWeights {
  readonly residency: Residency;
  readonly store: TensorStore;
  readonly #handles = new Map<string, Weight | RowTable>();
  readonly #problems: string[] = [];

  constructor(store: TensorStore, residency: Residency = "resident") {
    this.store = store;
    this.residency = residency;
  }

  /** The scope of the whole state dict. */
  get root(): WeightScope {
    return new WeightScope(this, "");
  }

  /** Collects a handle; names that are missing or misshapen wait for `assertAllRead`. */
  register<H extends Weight | RowTable>(handle: H): H {
    const { name, shape } = handle;
    if (this.#handles.has(name)) throw new Error(`two layers ask for ${name}`);
    const info = this.store.tensors.get(name);
    if (!info) this.#problems.push(`missing     ${name} [${shape.join(", ")}]`);
    else if (!weightDtypes.includes(info.dtype)) {
      this.#problems.push(`wrong dtype ${name}: expected ${weightDtypes.join(", ")}, found ${info.dtype}`);
    } else if (info.shape.join() !== shape.join()) {
      this.#problems.push(
        `wrong shape ${name}: expected [${shape.join(", ")}], found [${info.shape.join(", ")}]`,
      );
    }
    this.#handles.set(name, handle);
    return handle;
  }

  /** Names and shapes of all that was asked for, in that order. */
  get declared(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#handles].map(([name, { shape }]) => [name, shape]));
  }

  /** All handles. */
  get handles(): (Weight | RowTable)[] {
    return [...this.#handles.values()];
  }

  /** Handles whose names begin with a prefix. */
  under(prefix: string): (Weight | RowTable)[] {
    return [...this.#handles].filter(([name]) => name.startsWith(prefix)).map(([, handle]) => handle);
  }

  /**
   * To be called when the network is built.
   *
   * @param ignored names that old files carry and that no layer reads
   * @throws InputError that lists every missing, misshapen and unexpected tensor
   */
  assertAllRead(ignored: readonly string[] = []): void {
    const unexpected = [...this.store.tensors.keys()]
      .filter((name) => !this.#handles.has(name) && !ignored.includes(name))
      .map((name) => `unexpected  ${name} [${this.store.tensors.get(name)?.shape.join(", ") ?? ""}]`);
    const problems = [...this.#problems, ...unexpected];
    if (problems.length > 0) {
      const count = problems.length === 1 ? "1 tensor does" : `${problems.length} tensors do`;
      throw new InputError(
        `${this.store.name}: ${count} not fit the architecture: do the weights belong to this config?`,
        problems,
      );
    }
  }

  /** Frees all weights. */
  dispose(): void {
    for (const handle of this.#handles.values()) handle.dispose();
  }
}

/** A place in the state dict. */
export class WeightScope {
  /** State-dict prefix without the last dot; empty at the root. */
  readonly path: string;
  readonly #weights: ModelWeights;
  /** What is at and below this place, looked up once: passes ask for it in every block. */
  #below: readonly (Weight | RowTable)[] | null = null;

  constructor(weights: ModelWeights, path: string) {
    this.#weights = weights;
    this.path = path;
  }

  /** The scope of a child: `at("resblocks.0")`. */
  at(child: string | number): WeightScope {
    return new WeightScope(this.#weights, this.#join(String(child)));
  }

  /** A weight of this scope, of the shape that PyTorch stores. */
  get<R extends Rank>(name: string, shape: ShapeMap[R], layout: Layout = "asStored"): Weight<R> {
    return this.#weights.register(new Weight<R>(this.#weights, this.#join(name), shape, layout));
  }

  /** A table of this scope whose rows are read as they are needed. */
  table(name: string, shape: readonly [rows: number, width: number]): RowTable {
    return this.#weights.register(new RowTable(this.#weights.store, this.#join(name), shape));
  }

  /** Loads every weight of this scope and below; tables are loaded by their layer, which knows the ids. */
  load(): Promise<void> {
    return loadAll(this.weights.filter((handle) => handle instanceof Weight));
  }

  /** Begins to read every weight of this scope and below that is not loaded, without waiting for it. */
  prefetch(): void {
    for (const handle of this.weights) if (handle instanceof Weight) handle.prefetch();
  }

  /** Releases every weight of this scope and below. */
  release(): void {
    for (const handle of this.weights) handle.release();
  }

  /** Every weight and table of this scope and below. */
  get weights(): readonly (Weight | RowTable)[] {
    this.#below ??= this.#weights.under(this.path === "" ? "" : `${this.path}.`);
    return this.#below;
  }

  #join(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }
}
