/** Requests that are not answered. */
import { InputError } from "../errors/input-error.ts";
import { QueueFullError } from "../tasks/batch-queue.ts";

/** The HTTP statuses of refused requests. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 413 | 500 | 503;

/** A request that is refused, with the status that says so. The message is for the client. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ProblemStatus;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ProblemStatus, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Seconds after which a client may try again. */
const retryAfter = 1;

/** A request that the server cannot answer at this moment. */
export function busy(message: string): Problem {
  return new Problem(503, message, { "Retry-After": `${retryAfter}` });
}

/**
 * What a client is told about an error while its request was read.
 *
 * @throws the error itself if it is not the client's
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof QueueFullError) return busy("too many texts or images wait; try again later");
  if (error instanceof InputError) return new Problem(400, [error.message, ...error.details].join("\n"));
  throw error;
}
