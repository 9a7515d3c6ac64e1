/** A weight under training, which stays in memory with its moments. */
import { add, keep, tensor, tidy, zerosLike, type Tensor } from "@tensorflow/tfjs-core";
import { elementCount } from "../tensor/dtype.ts";
import { readFloat32, type TensorStore } from "../tensor/store.ts";
import type { Weight } from "../tensor/weight.ts";
import { adamw, type AdamwState, type AdamwUpdate } from "./adamw.ts";
import type { Parameter, StatePart, StoredMoments } from "./parameter.ts";

/** A weight that a run trains. */
export class TrainedWeight implements Parameter {
  readonly handle: Weight;
  #moments: Pick<AdamwState, "mean" | "square">;

  private constructor(handle: Weight) {
    this.handle = handle;
    this.#moments = { mean: keep(zerosLike(handle.tensor)), square: keep(zerosLike(handle.tensor)) };
  }

  static async start(handle: Weight): Promise<TrainedWeight> {
    await handle.load();
    handle.assign(handle.tensor);
    return new TrainedWeight(handle);
  }

  aligned(gradient: Tensor): Tensor {
    return gradient;
  }

  sum(one: Tensor, other: Tensor): Tensor {
    const sum = add(one, other);
    one.dispose();
    other.dispose();
    return sum;
  }

  update(gradient: Tensor, update: AdamwUpdate): void {
    const { value, mean, square } = adamw({ value: this.handle.tensor, ...this.#moments }, gradient, update);
    gradient.dispose();
    this.handle.assign(value);
    this.#setMoments(mean, square);
  }

  async *read(part: StatePart): AsyncIterable<Float32Array> {
    const value = part === "value" ? this.handle.tensor : this.#moments[part];
    const stored = this.handle.asStored(value);
    try {
      yield await stored.data<"float32">();
    } finally {
      stored.dispose();
    }
  }

  async restore(store: TensorStore, moments: StoredMoments | null): Promise<void> {
    const size = elementCount(this.handle.shape);
    const loaded = (values: Float32Array): Tensor =>
      tidy(() => this.handle.asLoaded(tensor(values, this.handle.shape)));
    const mean = (await moments?.read("mean", 0, size)) ?? new Float32Array(size);
    const square = (await moments?.read("square", 0, size)) ?? new Float32Array(size);
    this.handle.assign(loaded(await readFloat32(store, this.handle.name)));
    this.#setMoments(loaded(mean), loaded(square));
  }

  #setMoments(mean: Tensor, square: Tensor): void {
    this.#moments.mean.dispose();
    this.#moments.square.dispose();
    this.#moments = { mean: keep(mean), square: keep(square) };
  }

  dispose(): void {
    this.#moments.mean.dispose();
    this.#moments.square.dispose();
    this.handle.dispose();
  }
}
