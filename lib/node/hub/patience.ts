/** Trying again what may pass: cut connections, busy servers. */
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "../../errors/input-error.ts";

/** How long to go on. */
export interface Patience {
  /** Failures in a row after which it is given up. */
  readonly attempts: number;
  /** Before the second attempt, in ms; it doubles from one failure to the next. */
  readonly firstDelay: number;
  /** A server that sends nothing for so many ms counts as gone. */
  readonly silence: number;
}

export const defaultPatience: Patience = { attempts: 5, firstDelay: 1000, silence: 60_000 };

/** The hub's rate limits last five minutes; a server that asks for more may be asked again by the person. */
const longestDelay = 300_000;

/** A failure that may pass. */
export class PassingFailure extends Error {
  /** When the server wants to be asked again, in ms from now. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    options: { readonly retryAfter?: number | undefined; readonly cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter;
  }
}

/**
 * Repeats an attempt as long as it fails in passing.
 *
 * @param hasProgressed whether the last attempt brought something: then the count of failures begins anew
 * @param onWait hears why it waits
 * @throws InputError after too many failures in a row; what else the attempt throws at once
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  { attempts, firstDelay }: Patience,
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
      if (!(error instanceof PassingFailure)) throw error;
      failures = hasProgressed() ? 1 : failures + 1;
      if (failures === attempts) {
        throw new InputError(
          `${error.message}, ${attempts} times; the same command tries again, and goes on where it stopped`,
          [],
          { cause: error },
        );
      }
      const delay = Math.min(error.retryAfter ?? firstDelay * 2 ** (failures - 1), longestDelay);
      onWait(`${error.message}; trying again in ${Math.ceil(delay / 1000)} s`);
      await sleep(delay, undefined, { signal });
    }
  }
}
