import { InputError } from "../errors/input-error.ts";
import type { TapSummary } from "./tap-summary.ts";
import type { TapInfo, TraceSource } from "./trace-source.ts";

/** Several traces as one: the towers of an image and a text, and their similarity. A tap is read from the first that has it. */
export class JoinedTrace implements TraceSource {
  readonly taps: readonly TapInfo[];
  readonly #holders = new Map<string, TraceSource>();

  constructor(traces: readonly TraceSource[]) {
    const taps: TapInfo[] = [];
    for (const trace of traces) {
      for (const tap of trace.taps) {
        if (this.#holders.has(tap.name)) continue;
        this.#holders.set(tap.name, trace);
        taps.push(tap);
      }
    }
    this.taps = taps;
  }

  async summary(name: string): Promise<TapSummary> {
    return this.#holder(name).summary(name);
  }

  async read(name: string, start?: number, count?: number): Promise<Float32Array> {
    return this.#holder(name).read(name, start, count);
  }

  #holder(name: string): TraceSource {
    const holder = this.#holders.get(name);
    if (holder === undefined) throw new InputError(`the trace has no tap "${name}"`);
    return holder;
  }
}
