/** Records the taps of one pass: values to a trace, and summaries for the page. */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { RunOptions } from "../nn/tower.ts";
import type { Attention } from "../study/attention.ts";
import { headStatistics } from "../study/head-statistics.ts";
import { readTap, withTaps } from "../tensor/taps.ts";
import { summarizeTap, type TapSummary } from "../trace/tap-summary.ts";
import type { WritableTrace } from "../trace/trace-source.ts";
import type { HeadSummary } from "./results.ts";

/** How a pass runs. */
export interface PassOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each block. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

export class Recorder {
  /** In the order of the computation. */
  readonly summaries: TapSummary[] = [];
  /** Receives the attention of each layer. */
  onAttention: ((attention: Attention) => void) | undefined;
  /** Receives the summaries of the taps that a block, or what is before the first or after the last one, has emitted. */
  onTaps: ((taps: readonly TapSummary[]) => void) | undefined;
  readonly #trace: WritableTrace;
  readonly #options: PassOptions;
  #added: Promise<void> = Promise.resolve();
  /** How many summaries were sent. */
  #sent = 0;

  constructor(trace: WritableTrace, options: PassOptions) {
    this.#trace = trace;
    this.#options = options;
  }

  /** Runs a pass whose taps are recorded. */
  async run<T>(encode: (options: RunOptions) => Promise<T>): Promise<T> {
    const { signal, progress } = this.#options;
    const onBlock = (done: number, total: number): void => {
      progress?.(done, total);
      this.#send();
    };
    const result = await withTaps(
      (name, value: Tensor) => {
        const { shape } = value;
        const reading = readTap(value);
        reading.catch(() => undefined); // if an earlier tap fails, nobody waits for this one
        // Taps of a block are read side by side, and added in the order of the computation.
        this.#added = this.#added.then(async () => this.add(name, shape, Float32Array.from(await reading)));
        return this.#added;
      },
      () => encode({ signal, onBlock }),
    );
    this.#send();
    return result;
  }

  async add(name: string, shape: readonly number[], values: Float32Array): Promise<void> {
    await this.#trace.add(name, shape, values);
    this.summaries.push(summarizeTap(name, shape, values));
    const [, heads, length] = shape;
    if (name.endsWith("#probabilities")) this.onAttention?.({ values, heads: heads!, length: length! });
  }

  #send(): void {
    if (this.#sent === this.summaries.length) return;
    this.onTaps?.(this.summaries.slice(this.#sent));
    this.#sent = this.summaries.length;
  }
}

/** What the page shows of the heads of an image's layer. @param columns patches in a row of the image */
export function headsOf(attention: Attention, columns: number): HeadSummary[] {
  const { values, heads, length } = attention;
  return Array.from({ length: heads }, (_, head) => {
    const first = head * length * length;
    let largest = 0;
    for (let i = 0; i < length * length; i++) {
      if (i % length !== 0 && values[first + i]! > largest) largest = values[first + i]!;
    }
    const row = values.slice(first, first + length);
    return { ...headStatistics(attention, head, columns), row, largest };
  });
}

/** The attention that each token receives, mean over heads and queries. */
export function receivedAttention({ values, length }: Attention): number[] {
  const received = Array.from({ length }, () => 0);
  const rows = values.length / length;
  for (let i = 0; i < values.length; i++) received[i % length]! += values[i]! / rows;
  return received;
}
