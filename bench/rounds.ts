/**
 * Measuring in alternation: A B C A B C …, so that whatever else the machine does falls on all alike.
 *
 * Between runs all rest for a moment: threads of the one that ran last may still spin, waiting for more work.
 */
import { setTimeout } from "node:timers/promises";

export interface Runner<Reply extends { readonly seconds: number }> {
  readonly name: string;
  readonly run: () => Promise<Reply>;
}

export interface Measured<Reply> {
  /** Of the fastest run, the least disturbed one. */
  readonly seconds: number;
  readonly median: number;
  readonly runs: number;
  /** Of the fastest run. */
  readonly reply: Reply;
}

export interface RoundOptions {
  /** Rounds at most. */
  readonly repeats: number;
  /** No round begins later than so many seconds after the first, */
  readonly limit: number;
  /** but so many are run in any case. */
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

/** Seconds that something takes. */
export async function timed(run: () => unknown): Promise<{ seconds: number }> {
  const start = performance.now();
  await run();
  return { seconds: (performance.now() - start) / 1000 };
}
