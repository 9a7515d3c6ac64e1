/** Kept traces of a network, read from where it runs. */
import { summarizeTap, type TapSummary } from "../../lib/trace/tap-summary.ts";
import type { TapInfo, TraceSource } from "../../lib/trace/trace-source.ts";
import type { Client } from "../worker/protocol.ts";
import type { KeptTrace } from "./session.ts";

export class RemoteTrace implements TraceSource {
  readonly taps: readonly TapInfo[];
  readonly #client: Client;
  readonly #trace: string;

  constructor(client: Client, { trace, taps }: KeptTrace) {
    this.taps = taps.map(({ name, shape }) => ({ name, shape }));
    this.#client = client;
    this.#trace = trace;
  }

  async summary(name: string): Promise<TapSummary> {
    const { shape } = this.taps.find((tap) => tap.name === name)!;
    return summarizeTap(name, shape, await this.read(name));
  }

  read(tap: string, start?: number, count?: number): Promise<Float32Array> {
    const range = { ...(start !== undefined && { start }), ...(count !== undefined && { count }) };
    return this.#client.call("read", { trace: this.#trace, tap, ...range });
  }
}
