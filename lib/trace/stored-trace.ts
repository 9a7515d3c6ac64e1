/** A trace in a safetensors file, as `clipscope trace --out` writes it: on disk, behind HTTP, or dropped on a page. */
import { bytesPerElement, toFloat32, toIntegers } from "../tensor/dtype.ts";
import { tensorInfo, type TensorStore } from "../tensor/store.ts";
import { summarizeTap, type TapSummary } from "./tap-summary.ts";
import type { TapInfo, TraceSource } from "./trace-source.ts";

export class StoredTrace implements TraceSource {
  readonly taps: readonly TapInfo[];
  readonly #store: TensorStore;

  constructor(store: TensorStore) {
    this.#store = store;
    this.taps = [...store.tensors]
      .sort(([, a], [, b]) => a.offset - b.offset)
      .map(([name, { shape }]) => ({ name, shape }));
  }

  async summary(name: string): Promise<TapSummary> {
    const { shape } = tensorInfo(this.#store, name);
    return summarizeTap(name, shape, await this.read(name));
  }

  async read(name: string, start = 0, count?: number): Promise<Float32Array> {
    const { dtype, size } = tensorInfo(this.#store, name);
    const width = bytesPerElement[dtype];
    const bytes = await this.#store.read(name, start * width, (count ?? size / width - start) * width);
    return dtype === "I64" ? Float32Array.from(toIntegers(dtype, bytes)) : toFloat32(dtype, bytes);
  }
}
