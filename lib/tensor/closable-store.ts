/** The weights of a model that can be disposed while others still hold it. */
import { InputError } from "../errors/input-error.ts";
import type { FilePlace, TensorInfo, TensorStore } from "./store.ts";

/** @param name of the model's store */
export function disposedModel(name: string): InputError {
  return new InputError(`the model is disposed (${name}); load it again to use it`);
}

/** Passes on to another store, until it is closed: then reads fail with an error that says why. */
export class ClosableStore implements TensorStore {
  readonly #store: TensorStore;
  #closed: Promise<void> | null = null;

  constructor(store: TensorStore) {
    this.#store = store;
  }

  get name(): string {
    return this.#store.name;
  }

  get tensors(): ReadonlyMap<string, TensorInfo> {
    return this.#store.tensors;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#store.metadata;
  }

  #assertOpen(): void {
    if (this.#closed !== null) throw disposedModel(this.name);
  }

  async read(...[name, ...range]: Parameters<TensorStore["read"]>): Promise<Uint8Array> {
    this.#assertOpen();
    return this.#store.read(name, ...range);
  }

  place(name: string): FilePlace | undefined {
    this.#assertOpen();
    return this.#store.place?.(name);
  }

  /** Can be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#store.close();
    return this.#closed;
  }
}
