/** A trace that is kept whole in memory. */
import { InputError } from "../errors/input-error.ts";
import { summarizeTap, type TapSummary } from "./tap-summary.ts";
import type { TapInfo, WritableTrace } from "./trace-source.ts";

interface Entry extends TapInfo {
  readonly values: Float32Array;
}

export class MemoryTrace implements WritableTrace {
  readonly #entries = new Map<string, Entry>();

  add(name: string, shape: readonly number[], values: Float32Array): void {
    this.#entries.set(name, { name, shape, values });
  }

  get taps(): readonly TapInfo[] {
    return [...this.#entries.values()].map(({ name, shape }) => ({ name, shape }));
  }

  get size(): number {
    return [...this.#entries.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  }

  summary(name: string): Promise<TapSummary> {
    const { shape, values } = this.#entry(name);
    return Promise.resolve(summarizeTap(name, shape, values));
  }

  read(name: string, start = 0, count?: number): Promise<Float32Array> {
    const { values } = this.#entry(name);
    return Promise.resolve(values.subarray(start, count === undefined ? values.length : start + count));
  }

  dispose(): void {
    this.#entries.clear();
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new InputError(`the trace has no tap "${name}"`);
    return entry;
  }
}
