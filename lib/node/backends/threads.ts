/** How many threads a backend computes on. */
import { availableParallelism } from "node:os";

import { InputError } from "../../errors/input-error.ts";

/**
 * What the environment's CLIPSCOPE_THREADS says, else as many as the system lets this process run at once.
 *
 * @param otherwise another number in place of the last
 * @throws InputError if that is not a whole number above 0.
 */
export function threadCount(otherwise: number = availableParallelism()): number {
  const preset = process.env["CLIPSCOPE_THREADS"];
  if (!preset) return otherwise;
  if (!/^[1-9]\d{0,3}$/.test(preset)) {
    throw new InputError(
      `CLIPSCOPE_THREADS: expected a whole number above 0, found "${preset}"; leave it unset for one thread a core`,
    );
  }
  return Number(preset);
}

/** "1 thread", "2 threads" */
export function describeThreads(count: number): string {
  return count === 1 ? "1 thread" : `${count} threads`;
}
