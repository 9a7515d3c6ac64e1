/** A trace that is kept whole in memory. */
import { InputError } from "../errors/input-error.ts";
import { summarizeTap, type TapSummary } from "./tap-summary.ts";
import type { TapInfo, TraceSource } from "./trace-source.ts";

interface Entry extends TapInfo {
  readonly values: Float32Array;
}

export class MemoryTrace implements TraceSource {
  readonly #entries = new Map<string, Entry>();

  /** Adds a tap. The values are kept, not copied. */
  add(name: string, shape: readonly number[], values: Float32Array): void {
    this.#entries.set(name, { name, shape, values });
  }

  get taps(): readonly TapInfo[] {
    return [...this.#entries.values()].map(({ name, shape }) => ({ name, shape }));
  }

  /** In bytes. */
  get size(): number {
    return [...this.#entries.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  }

  summary(name: string): Promise<TapSummary> {
    const { shape, values } = this.#entry(name);
    return Promise.resolve(summarizeTap(name, shape, values));
  }

  read(name: string): Promise<Float32Array> {
    return Promise.resolve(this.#entry(name).values);
  }

  /** The summaries of all taps. */
  summaries(): TapSummary[] {
    return [...this.#entries.values()].map(({ name, shape, values }) => summarizeTap(name, shape, values));
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new InputError(`the trace has no tap "${name}"`);
    return entry;
  }
}
