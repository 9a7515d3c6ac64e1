/** Retries of requests that failed for a temporary reason: a dropped connection, a busy server. */
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "../../errors/input-error.ts";

export interface RetryPolicy {
  /** The number of failures in a row after which the request is given up. */
  readonly maxAttempts: number;
  /** The delay before the second attempt, in ms. It doubles with each failure in a row. */
  readonly initialDelay: number;
  /** The time without a byte from the server after which an attempt fails, in ms. */
  readonly idleTimeout: number;
}

export const defaultRetryPolicy: RetryPolicy = { maxAttempts: 5, initialDelay: 1000, idleTimeout: 60_000 };

/** The hub's rate limits last five minutes, so no delay is longer. */
const maxDelay = 300_000;

/** A failure that may not recur in another attempt. */
export class TransientError extends Error {
  /** The delay that the server requests, in ms. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    options: { readonly retryAfter?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter;
  }
}

/**
 * Repeats an attempt until it succeeds, or throws another error than TransientError.
 *
 * @param options.hasProgressed whether the last attempt made progress, which resets the count of failures
 * @param options.onWait called with the reason before each delay
 * @throws InputError after `maxAttempts` failures in a row; any other error that the attempt throws, at once
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  { maxAttempts, initialDelay }: RetryPolicy,
  {
    hasProgressed = () => false,
    onWait,
    signal,
  }: {
    readonly hasProgressed?: () => boolean;
    readonly onWait: (reason: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<T> {
  for (let failures = 0; ;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      failures = hasProgressed() ? 1 : failures + 1;
      if (failures === maxAttempts) {
        throw new InputError(
          `${error.message}, ${maxAttempts} times; run the command again to continue where it stopped`,
          [],
          { cause: error },
        );
      }
      const delay = Math.min(error.retryAfter ?? initialDelay * 2 ** (failures - 1), maxDelay);
      onWait(`${error.message}; trying again in ${Math.ceil(delay / 1000)} s`);
      await sleep(delay, undefined, { signal });
    }
  }
}
