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
  /**
   * A tap's values, flat, or `count` of them from the value `start` on.
   *
   * @throws InputError if the trace has no such tap
   */
  read(name: string, start?: number, count?: number): Promise<Float32Array>;
}

/** A trace that a pass fills. */
export interface WritableTrace extends TraceSource {
  /** Adds a tap. The values are kept, not copied. */
  add(name: string, shape: readonly number[], values: Float32Array): void | Promise<void>;
  /** In bytes. */
  readonly size: number;
  /** Frees what holds the values. */
  dispose(): void | Promise<void>;
}
