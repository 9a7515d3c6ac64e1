/** A store in which some tensors are computed from others when they are read: merged weights, or weights after training. */
import { elementCount } from "./dtype.ts";
import { tensorInfo, type FilePlace, type TensorInfo, type TensorStore } from "./store.ts";

/** A float32 tensor that is computed. */
export interface DerivedTensor {
  readonly shape: readonly number[];
  /** Some of its numbers, in row-major order. */
  values(first: number, count: number): Float32Array | Promise<Float32Array>;
}

/** Reads a base, except for tensors that are derived. Closing it closes the base. */
export class DerivedStore implements TensorStore {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #base: TensorStore;
  readonly #derived: ReadonlyMap<string, DerivedTensor>;

  /** @param name for messages @param derived by the names of the tensors that they replace */
  constructor(name: string, base: TensorStore, derived: ReadonlyMap<string, DerivedTensor>) {
    const replaced = Array.from(derived, ([own, { shape }]): [string, TensorInfo] => [
      own,
      { dtype: "F32", shape, offset: 0, size: 4 * elementCount(shape) },
    ]);
    this.name = name;
    this.metadata = base.metadata;
    this.tensors = new Map([...base.tensors, ...replaced]);
    this.#base = base;
    this.#derived = derived;
  }

  async read(name: string, start = 0, length?: number, reused?: Uint8Array): Promise<Uint8Array> {
    const derived = this.#derived.get(name);
    if (derived === undefined) return this.#base.read(name, start, length, reused);
    const end = start + (length ?? tensorInfo(this, name).size - start);
    // Whole numbers around the bytes.
    const first = Math.floor(start / 4);
    const { buffer, byteOffset } = await derived.values(first, Math.ceil(end / 4) - first);
    return new Uint8Array(buffer, byteOffset + start - 4 * first, end - start);
  }

  place(name: string): FilePlace | undefined {
    return this.#derived.has(name) ? undefined : this.#base.place?.(name);
  }

  close(): Promise<void> {
    return this.#base.close();
  }
}
