/** The number of threads of a backend. */
import { availableParallelism } from "node:os";

import { InputError } from "../../errors/input-error.ts";

/**
 * The number of threads in CLIPSCOPE_THREADS, else the default.
 *
 * @param otherwise the default: one per core that the process may use
 * @throws InputError if CLIPSCOPE_THREADS is not a whole number above 0
 */
export function threadCount(otherwise: number = availableParallelism()): number {
  const preset = process.env["CLIPSCOPE_THREADS"];
  if (!preset) return otherwise;
  if (!/^[1-9]\d{0,3}$/.test(preset)) {
    throw new InputError(
      `CLIPSCOPE_THREADS: expected a whole number above 0, found "${preset}"; leave it unset for one thread per core`,
    );
  }
  return Number(preset);
}

/** "1 thread", "2 threads" */
export function describeThreads(count: number): string {
  return count === 1 ? "1 thread" : `${count} threads`;
}
