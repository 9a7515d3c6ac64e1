/** Which errors may pass: those of disks, file systems over a network, and memory. */
import { InputError } from "../../errors/input-error.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";

const passing = new Set([
  "EAGAIN",
  "EBUSY",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOSPC",
  "ESTALE",
  "ETIMEDOUT",
]);

/** The error as a `TryAgainError` if it, or its cause, may pass; else unchanged. */
export function asTryAgain(error: unknown): unknown {
  if (error instanceof TryAgainError || !(error instanceof Error)) return error;
  if (error instanceof RangeError && /allocation failed/i.test(error.message)) {
    return new TryAgainError("too little memory for this partition; give the task more", [], {
      cause: error,
    });
  }
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (code === undefined || !passing.has(code)) continue;
    return error instanceof InputError
      ? new TryAgainError(error.message, error.details, { cause: error })
      : new TryAgainError(`${error.message}; run the command again`, [], { cause: error });
  }
  return error;
}
