/**
 * The handle of one weight, which is loaded before its layer runs and released afterwards.
 *
 * Because a layer holds handles and not tensors, a tower may be larger than the backend's memory.
 */
import {
  keep,
  reshape,
  tensor,
  tidy,
  transpose,
  type Rank,
  type ShapeMap,
  type Tensor,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import { elementCount, toFloat32 } from "./dtype.ts";
import { weightPacker, type Precision } from "./precision.ts";
import { tensorInfo, type TensorStore } from "./store.ts";
import { weightReader, type StoredMatrix, type WeightReader } from "./weight-reader.ts";

/**
 * How a stored weight is permuted when it is loaded.
 *
 * - `asStored`: not at all.
 * - `linear`: PyTorch stores [out, in]; the product x · W needs [in, out], which takes half the time of a transposed
 *   product.
 * - `readOut`: as `linear`, for the last products before the embedding. They are small, and their errors reach it in full,
 *   so that they stay in bfloat16 where others are int8.
 * - `conv2d`: PyTorch stores [out, in, height, width]; tfjs's channels-last convolution needs [height, width, in, out].
 */
const permutations = {
  asStored: null,
  linear: [1, 0],
  readOut: [1, 0],
  conv2d: [2, 3, 1, 0],
} as const;

/** How a weight is permuted when it is loaded. */
export type Layout = keyof typeof permutations;

/**
 * `resident`: a weight stays in memory from its first use until `dispose()`.
 * `streamed`: a weight is in memory only between `load()` and `release()`.
 */
export type Residency = "resident" | "streamed";

/** Where weights come from, and how long they stay. */
export interface WeightSource {
  readonly store: TensorStore;
  readonly residency: Residency;
  /** How weights of products are kept. */
  readonly precision: Precision;
}

/** Weights that can be loaded and released: a scope with everything below it, or a single weight. */
export interface Loadable {
  load(): Promise<void>;
  release(): void;
}

/**
 * Loads several weights at once. If one fails, the others are awaited too, so that none of them arrives after its
 * release.
 */
export async function loadAll(parts: readonly Pick<Loadable, "load">[]): Promise<void> {
  const outcomes = await Promise.allSettled(parts.map((part) => part.load()));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** Changes what a matrix computes, without changing the matrix. */
export interface Adapter {
  /** The adapter's own weights, which are always loaded. */
  readonly weights: readonly Weight[];
  /** What it adds to x · W, split along the last axis into parts. @param x [..., in] @returns [..., out / parts] */
  delta(x: Tensor, parts: number): Tensor[];
}

/** A weight. While a layer's `forward` runs, it is loaded and `tensor` is available. */
export class Weight<R extends Rank = Rank> implements Loadable {
  /** In the state dict. */
  readonly name: string;
  /** As stored, in PyTorch's order. */
  readonly shape: ShapeMap[R];
  /** Set by what attaches an adapter (lib/nn/lora.ts), for matrices that `project` multiplies with. */
  adapter: Adapter | null = null;
  readonly #layout: Layout;
  readonly #source: WeightSource;
  #tensor: Tensor<R> | null = null;
  /** Whether `tensor` is no longer what the file holds. */
  #isAssigned = false;
  /** The bytes that `prefetch` has requested. */
  #prefetched: Promise<Uint8Array> | null = null;

  constructor(source: WeightSource, name: string, shape: ShapeMap[R], layout: Layout) {
    this.#source = source;
    this.name = name;
    this.shape = shape;
    this.#layout = layout;
  }

  get isLoaded(): boolean {
    return this.#tensor !== null;
  }

  /** float32, permuted by the layout; in reduced precision, what `linear` takes in place of a matrix. */
  get tensor(): Tensor<R> {
    if (this.#tensor === null) throw new Error(`${this.name} is used before load() or after release()`);
    return this.#tensor;
  }

  /** Undoes the layout's permutation: a gradient of `tensor`, in the order of the file. The caller disposes it. */
  asStored(value: Tensor<R>): Tensor<R> {
    const permutation = permutations[this.#layout];
    if (permutation === null) return value.clone();
    const inverse = permutation.map((_, axis) => permutation.findIndex((from) => from === axis));
    return transpose(value, inverse);
  }

  /**
   * Replaces the value, which then stays in memory until `dispose`.
   *
   * @param value in the layout of `tensor`; the weight takes ownership
   */
  assign(value: Tensor<R>): void {
    keep(value);
    if (this.#tensor !== null && this.#tensor !== value) this.#tensor.dispose();
    this.#tensor = value;
    this.#isAssigned = true;
  }

  /** From the order of the file to the layout of `tensor`. The caller disposes the result. */
  asLoaded(stored: Tensor<R>): Tensor<R> {
    const permutation = permutations[this.#layout];
    return permutation === null ? stored.clone() : transpose(stored, [...permutation]);
  }

  async load(): Promise<void> {
    this.#tensor ??= this.#readDirectly();
    if (this.#tensor !== null) return;
    const { store } = this.#source;
    const bytes = this.#prefetched ?? store.read(this.name);
    this.#prefetched = null;
    const values = toFloat32(tensorInfo(store, this.name).dtype, await bytes);
    this.#tensor ??= tidy(() => this.#fromStored(tensor(values, this.shape)));
  }

  /** Starts reading what `load` will need, without waiting for it. */
  prefetch(): void {
    if (this.#tensor !== null || this.#prefetched !== null) return;
    const direct = this.#direct();
    if (direct !== null) {
      direct.reader.readAhead(direct.matrix);
      return;
    }
    this.#prefetched = this.#source.store.read(this.name);
    this.#prefetched.catch(() => undefined); // `load` reports the error
  }

  /** Reads the weight with the backend's own reader. null if it has none or fails; then `load` reads the bytes itself. */
  #readDirectly(): Tensor<R> | null {
    const direct = this.#direct();
    if (direct === null) return null;
    try {
      return tidy(() => {
        const isPacked = this.#precision !== "f32";
        const matrix = direct.reader.read(direct.matrix, this.#isFactor && !isPacked);
        if (isPacked) return this.#fromStored(matrix as Tensor<R>);
        const shape = this.#isFactor ? matrix.shape : this.shape;
        return reshape(matrix, shape as ShapeMap[R]);
      });
    } catch {
      return null;
    }
  }

  /** Whether it is the right factor of a product. */
  get #isFactor(): boolean {
    return this.#layout === "linear" || this.#layout === "readOut";
  }

  get #precision(): Precision {
    const { precision } = this.#source;
    if (!this.#isFactor) return "f32";
    return this.#layout === "readOut" && precision === "int8" ? "bf16" : precision;
  }

  /** From the order of the file to what `tensor` holds. */
  #fromStored(stored: Tensor<R>): Tensor<R> {
    const precision = this.#precision;
    if (precision === "f32") return this.asLoaded(stored);
    return weightPacker(precision).pack(stored as unknown as Tensor2D, precision) as unknown as Tensor<R>;
  }

  #direct(): { reader: WeightReader; matrix: StoredMatrix } | null {
    const reader = weightReader();
    const { store } = this.#source;
    const place = store.place?.(this.name);
    if (reader === undefined || place === undefined || this.#layout === "conv2d") return null;
    const columns = this.shape.at(-1) ?? 1;
    const rows = elementCount(this.shape) / columns;
    return { reader, matrix: { ...place, dtype: tensorInfo(store, this.name).dtype, rows, columns } };
  }

  /** Frees the memory if weights are streamed. */
  release(): void {
    if (this.#source.residency === "streamed" && !this.#isAssigned) this.dispose();
  }

  dispose(): void {
    this.#tensor?.dispose();
    this.#tensor = null;
    this.#isAssigned = false;
    this.#prefetched = null;
  }
}

/**
 * A weight that no file holds, such as that of a new classifier. It stays in memory until `dispose`.
 *
 * @param values in PyTorch's order
 */
export function freeWeight<R extends Rank>(
  name: string,
  shape: ShapeMap[R],
  values: Float32Array,
  layout: Layout = "asStored",
): Weight<R> {
  const weight = new Weight<R>(
    { store: emptyStore, residency: "resident", precision: "f32" },
    name,
    shape,
    layout,
  );
  weight.assign(tidy(() => weight.asLoaded(tensor(values, shape))));
  return weight;
}

const emptyStore: TensorStore = {
  name: "memory",
  tensors: new Map(),
  metadata: {},
  read: (name) => Promise.reject(new Error(`${name} is not stored`)),
  close: () => Promise.resolve(),
};
