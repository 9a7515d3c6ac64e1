/**
 * All weights of a model. Building a network collects a handle for each weight that a layer requests by name and shape;
 * `assertAllRead()` then compares them with the file and reports everything that is missing, unexpected, or has a wrong
 * shape at once. Nothing is read before that.
 */
import type { Rank, ShapeMap } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import { ClosableStore } from "./closable-store.ts";
import { weightDtypes } from "./dtype.ts";
import { weightPacker, type Precision } from "./precision.ts";
import { RowTable } from "./row-table.ts";
import type { TensorStore } from "./store.ts";
import { loadAll, Weight, type Layout, type Loadable, type Residency, type WeightSource } from "./weight.ts";

/** The weights of a model: a store, and a handle for each tensor that a layer has requested. */
export class ModelWeights implements WeightSource {
  readonly residency: Residency;
  readonly precision: Precision;
  /** After its `close`, layers that read weights fail with an InputError. */
  readonly store: ClosableStore;
  readonly #handles = new Map<string, Weight | RowTable>();
  readonly #problems: string[] = [];

  /** @throws InputError if the current backend does not support the precision */
  constructor(store: TensorStore, residency: Residency = "resident", precision: Precision = "f32") {
    this.store = new ClosableStore(store);
    this.residency = residency;
    this.precision = precision;
    if (precision !== "f32") weightPacker(precision);
  }

  /** The scope of the whole state dict. */
  get root(): WeightScope {
    return new WeightScope(this, "");
  }

  /** Collects a handle. `assertAllRead` reports it if it does not fit the file. */
  register<H extends Weight | RowTable>(handle: H): H {
    const { name, shape } = handle;
    if (this.#handles.has(name)) throw new Error(`two layers request ${name}`);
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

  /** Names and shapes of all handles, in the order in which layers requested them. */
  get declared(): ReadonlyMap<string, readonly number[]> {
    return new Map([...this.#handles].map(([name, { shape }]) => [name, shape]));
  }

  get handles(): (Weight | RowTable)[] {
    return [...this.#handles.values()];
  }

  /** Handles whose names start with a prefix. */
  under(prefix: string): (Weight | RowTable)[] {
    return [...this.#handles].filter(([name]) => name.startsWith(prefix)).map(([, handle]) => handle);
  }

  /**
   * Checks the file against the network, after the network is built.
   *
   * @param ignored names in old files that no layer reads
   * @throws InputError that lists every tensor that is missing, unexpected, or has a wrong shape
   */
  assertAllRead(ignored: readonly string[] = []): void {
    const unexpected = [...this.store.tensors.keys()]
      .filter((name) => !this.#handles.has(name) && !ignored.includes(name))
      .map((name) => `unexpected  ${name} [${this.store.tensors.get(name)?.shape.join(", ") ?? ""}]`);
    const problems = [...this.#problems, ...unexpected];
    if (problems.length > 0) {
      const count = problems.length === 1 ? "1 tensor does" : `${problems.length} tensors do`;
      throw new InputError(
        `${this.store.name}: ${count} not fit the architecture: check that the weights belong to this config`,
        problems,
      );
    }
  }

  /**
   * For computations that need the weights' own values: gradients, statistics of weights.
   *
   * @param what the computation, for the error
   * @throws InputError in reduced precision
   */
  assertFloat32(what: string): void {
    if (this.precision === "f32") return;
    throw new InputError(`${what} requires weights in float32, found ${this.precision}; use --precision f32`);
  }

  /** Frees all weights. */
  dispose(): void {
    for (const handle of this.#handles.values()) handle.dispose();
  }
}

/**
 * A place in the state dict. Its path is the state-dict prefix to the letter:
 * `scope.at("ln_1").get("weight", [1280])` is the weight `….ln_1.weight`.
 */
export class WeightScope implements Loadable {
  /** State-dict prefix without the last dot; empty at the root. */
  readonly path: string;
  readonly #weights: ModelWeights;
  /** The handles at and below this place, looked up once. */
  #below: readonly (Weight | RowTable)[] | null = null;

  constructor(weights: ModelWeights, path: string) {
    this.#weights = weights;
    this.path = path;
  }

  /** The model's. */
  get precision(): Precision {
    return this.#weights.precision;
  }

  /** The scope of a child: `at("resblocks.0")`. */
  at(child: string | number): WeightScope {
    return new WeightScope(this.#weights, this.#join(String(child)));
  }

  /** A weight of this scope, in the shape that PyTorch stores. */
  get<R extends Rank>(name: string, shape: ShapeMap[R], layout: Layout = "asStored"): Weight<R> {
    return this.#weights.register(new Weight<R>(this.#weights, this.#join(name), shape, layout));
  }

  /** A table of this scope whose rows are read on demand. */
  table(name: string, shape: readonly [rows: number, width: number]): RowTable {
    return this.#weights.register(new RowTable(this.#weights.store, this.#join(name), shape));
  }

  /** Every weight and table of this scope and below. */
  get weights(): readonly (Weight | RowTable)[] {
    this.#below ??= this.#weights.under(this.path === "" ? "" : `${this.path}.`);
    return this.#below;
  }

  /** Loads every weight of this scope and below. Tables are loaded by their layer, which has the ids. */
  load(): Promise<void> {
    return loadAll(this.weights.filter((handle) => handle instanceof Weight));
  }

  /** Starts reading every weight of this scope and below that is not loaded, without waiting for it. */
  prefetch(): void {
    for (const handle of this.weights) if (handle instanceof Weight) handle.prefetch();
  }

  /** Releases every weight of this scope and below. */
  release(): void {
    for (const handle of this.weights) handle.release();
  }

  #join(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }
}
