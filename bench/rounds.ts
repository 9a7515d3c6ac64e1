/**
 * Measures programs in turn (A B C A B C …), so that other load on the machine affects all of them.
 *
 * A pause precedes each measurement: threads of the previous program may still spin while they wait for work.
 */
import { setTimeout } from "node:timers/promises";

export interface Runner<Reply extends { readonly seconds: number }> {
  readonly name: string;
  readonly run: () => Promise<Reply>;
}

export interface Measured<Reply> {
  /** Seconds of the fastest run, the one least disturbed by other load. */
  readonly seconds: number;
  /** Median seconds. */
  readonly median: number;
  readonly runs: number;
  /** The reply of the fastest run. */
  readonly reply: Reply;
}

export interface RoundOptions {
  /** Maximum number of rounds. */
  readonly repeats: number;
  /** No round starts more than this many seconds after the first. */
  readonly limit: number;
  /** The number of rounds that run regardless of `limit`. */
  readonly atLeast: number;
}

const restMilliseconds = 100;

/** Runs each in turn, round after round. The results are in the order of the runners. */
export async function inTurn<Reply extends { readonly seconds: number }>(
  runners: readonly Runner<Reply>[],
  { repeats, limit, atLeast }: RoundOptions,
): Promise<Measured<Reply>[]> {
  const replies: Reply[][] = runners.map(() => []);
  const end = performance.now() + 1000 * limit;
  for (let round = 0; round < repeats && (round < atLeast || performance.now() < end); round++) {
    for (const [at, runner] of runners.entries()) {
      await setTimeout(restMilliseconds);
      replies[at]!.push(await runner.run());
    }
  }
  return replies.map((all) => {
    const sorted = all.toSorted((a, b) => a.seconds - b.seconds);
    const [reply] = sorted;
    if (reply === undefined) throw new RangeError("expected at least one round");
    const middle = (sorted.length - 1) / 2;
    const median = (sorted[Math.floor(middle)]!.seconds + sorted[Math.ceil(middle)]!.seconds) / 2;
    return { seconds: reply.seconds, median, runs: all.length, reply };
  });
}

export async function timed(run: () => unknown): Promise<{ seconds: number }> {
  const start = performance.now();
  await run();
  return { seconds: (performance.now() - start) / 1000 };
}
