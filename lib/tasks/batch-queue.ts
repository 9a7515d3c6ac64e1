/**
 * A queue that joins concurrent calls into one pass.
 *
 * A pass starts when enough items wait, or the oldest has waited long enough. While a pass runs, later items gather for
 * the next one, so that under load passes are full and nobody waits for the delay.
 */
import { InputError } from "../errors/input-error.ts";

/** What a {@link BatchQueue} runs, and how many items and how long it waits. */
export interface BatchQueueOptions<Item, Result> {
  /** Runs one pass. @returns one result per item, in their order */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** The most items of a pass. */
  readonly batchSize: number;
  /** How long an item waits for others, in milliseconds. 0: until the end of the current turn of the event loop. */
  readonly delay: number;
  /** The most items that may wait; calls beyond are refused. */
  readonly mostWaiting: number;
  /** Calls back after a time, and returns a function that prevents it. Default: `setTimeout`. */
  readonly after?: (milliseconds: number, callback: () => void) => () => void;
}

/** Thrown for a call that would make the queue longer than allowed. A server answers it with status 503. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

/** A call whose results are not complete. */
interface Call<Item, Result> {
  readonly items: readonly Item[];
  readonly results: Result[];
  /** Items that a pass has taken, and items that have a result. */
  taken: number;
  done: number;
  readonly resolve: (results: readonly Result[]) => void;
  readonly reject: (reason: unknown) => void;
  /** Whether the promise is settled. */
  isSettled: boolean;
}

/** The items of one call in one pass. */
interface Part<Item, Result> {
  readonly call: Call<Item, Result>;
  readonly start: number;
  readonly items: readonly Item[];
}

/** Joins the items of concurrent calls into passes. */
export class BatchQueue<Item, Result> {
  readonly #options: BatchQueueOptions<Item, Result>;
  readonly #after: NonNullable<BatchQueueOptions<Item, Result>["after"]>;
  /** Calls with items that wait, oldest first. */
  #calls: Call<Item, Result>[] = [];
  #waiting = 0;
  #running: Promise<void> | undefined;
  #cancelDelay: (() => void) | undefined;
  #isClosed = false;

  constructor(options: BatchQueueOptions<Item, Result>) {
    this.#options = options;
    this.#after = options.after ?? afterTimeout;
  }

  /** Items that no pass has taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Gets the results of some items. Other calls' items may share their passes, and many items take several passes.
   *
   * @param signal gives the call up: what waits leaves the queue, and the result of a running pass is dropped
   * @returns one result per item, in their order
   * @throws QueueFullError if too many items wait; the signal's reason if it is aborted; what the pass throws
   */
  submit(items: readonly Item[], signal?: AbortSignal): Promise<readonly Result[]> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#isClosed) throw new Error("the queue is closed");
      const { mostWaiting } = this.#options;
      if (this.#waiting + items.length > mostWaiting) {
        throw new QueueFullError(
          `expected at most ${mostWaiting} waiting items, found ${this.#waiting} and ${items.length} more; try again later`,
        );
      }
      if (items.length === 0) {
        resolve([]);
        return;
      }
      const giveUp = (): void => {
        this.#settle(call, () => {
          reject(signal?.reason as Error);
        });
      };
      const call: Call<Item, Result> = {
        items: [...items],
        results: new Array<Result>(items.length),
        taken: 0,
        done: 0,
        isSettled: false,
        resolve: (results) => {
          signal?.removeEventListener("abort", giveUp);
          resolve(results);
        },
        reject: (reason) => {
          signal?.removeEventListener("abort", giveUp);
          reject(reason instanceof Error ? reason : new Error(String(reason)));
        },
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#calls.push(call);
      this.#waiting += items.length;
      this.#schedule();
    });
  }

  /** Rejects the calls that wait, and later ones. @returns when the running pass has ended */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of [...this.#calls]) {
      this.#settle(call, () => {
        call.reject(new Error("the queue is closed"));
      });
    }
    await this.#running;
  }

  /** Ends a call, and takes what waits out of the queue. */
  #settle(call: Call<Item, Result>, end: () => void): void {
    if (call.isSettled) return;
    call.isSettled = true;
    this.#waiting -= call.items.length - call.taken;
    this.#calls = this.#calls.filter((other) => other !== call);
    if (this.#waiting === 0) this.#stopDelay();
    end();
  }

  #stopDelay(): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
  }

  /** Starts a pass if it is due, or the delay of the first item that waits. */
  #schedule(): void {
    if (this.#running !== undefined || this.#waiting === 0) return;
    if (this.#waiting >= this.#options.batchSize) this.#start();
    else {
      this.#cancelDelay ??= this.#after(this.#options.delay, () => {
        this.#cancelDelay = undefined;
        if (this.#running === undefined && this.#waiting > 0) this.#start();
      });
    }
  }

  #start(): void {
    this.#stopDelay();
    this.#running = this.#pass(this.#take()).finally(() => {
      this.#running = undefined;
      // What gathered meanwhile has waited for a whole pass.
      if (this.#waiting > 0) this.#start();
    });
  }

  /** Takes a batch out of the queue, oldest items first. */
  #take(): Part<Item, Result>[] {
    const parts: Part<Item, Result>[] = [];
    let room = this.#options.batchSize;
    for (const call of this.#calls) {
      if (room === 0) break;
      const items = call.items.slice(call.taken, call.taken + room);
      parts.push({ call, start: call.taken, items });
      call.taken += items.length;
      room -= items.length;
      this.#waiting -= items.length;
    }
    this.#calls = this.#calls.filter(({ items, taken }) => taken < items.length);
    return parts;
  }

  async #pass(parts: readonly Part<Item, Result>[]): Promise<void> {
    try {
      await this.#run(parts);
    } catch (error) {
      // Bad input of one call must not fail the others; anything else would fail again.
      if (error instanceof InputError && parts.length > 1) {
        for (const part of parts) await this.#pass([part]);
        return;
      }
      for (const { call } of parts) {
        this.#settle(call, () => {
          call.reject(error);
        });
      }
    }
  }

  async #run(parts: readonly Part<Item, Result>[]): Promise<void> {
    const wanted = parts.filter(({ call }) => !call.isSettled);
    if (wanted.length === 0) return;
    const items = wanted.flatMap((part) => part.items);
    const results = await this.#options.run(items);
    if (results.length !== items.length) {
      throw new Error(`a pass of ${items.length} items gave ${results.length} results`);
    }
    let at = 0;
    for (const { call, start, items } of wanted) {
      for (const [i] of items.entries()) call.results[start + i] = results[at++]!;
      call.done += items.length;
      if (call.done < call.items.length) continue;
      this.#settle(call, () => {
        call.resolve(call.results);
      });
    }
  }
}

function afterTimeout(milliseconds: number, callback: () => void): () => void {
  const timer = setTimeout(callback, milliseconds);
  return () => {
    clearTimeout(timer);
  };
}
