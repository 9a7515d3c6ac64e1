import { InputError } from "./input-error.ts";

/**
 * A condition that may pass without a change of the input: a full disk, a network file system that does not answer, too
 * little memory. Only `clipscope index` reports it: its exit status is 75 (EX_TEMPFAIL), on which job schedulers run a
 * task again.
 */
export class TryAgainError extends InputError {}
