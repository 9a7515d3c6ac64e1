/** A trace: the taps of one pass, wherever they are. */
import type { TapSummary } from "./tap-summary.ts";

/** A tap's name and shape. */
export interface TapInfo {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The taps of one pass, in the order of the computation. Views read traces through this interface only. */
export interface TraceSource {
  readonly taps: readonly TapInfo[];
  /** @throws InputError if the trace has no such tap */
  summary(name: string): Promise<TapSummary>;
  /** A tap's values, flat. @throws InputError if the trace has no such tap */
  read(name: string): Promise<Float32Array>;
}
