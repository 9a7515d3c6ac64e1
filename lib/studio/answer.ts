/** How a question of the page is answered: in its worker, or in the local server. */
import type { Passes } from "./passes.ts";

/** What an answer can do besides returning its result. */
export interface Context<Update = never> {
  /** Ends the work between blocks. */
  readonly signal: AbortSignal;
  /** Says how much of the work is done. */
  readonly progress: (done: number, total: number) => void;
  /** Sends a part of the result before the rest is there. */
  readonly update: (part: Update) => void;
}

/**
 * One question. Parameters, result and updates can be cloned between threads: plain objects, arrays, numbers, texts and
 * typed arrays.
 *
 * @throws InputError for what the user can fix; the signal's reason if it is aborted
 */
export type Answer<Params, Result, Update = never> = (
  passes: Passes,
  params: Params,
  context: Context<Update>,
) => Promise<Result>;
