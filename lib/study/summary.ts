/** A summary of a tap, for sinks: `withTaps((name, value) => summarize(name, value).then(…), run)`. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { readTap } from "../tensor/taps.ts";
import { summarizeTap, type TapSummary } from "../trace/tap-summary.ts";

/**
 * Summarises a tap: statistics, a histogram, the norms of the tokens and a thumbnail. In a sink, return the promise, so
 * that the pass waits for it.
 *
 * @param value of one input, not empty; borrowed until this function has returned its promise
 */
export async function summarize(name: string, value: Tensor): Promise<TapSummary> {
  const { shape } = value;
  return summarizeTap(name, shape, Float32Array.from(await readTap(value)));
}
