/** Work that several callers wait for, done once: requests for the same thing at the same time. */

interface Running<Value> {
  readonly value: Promise<Value>;
  readonly stop: AbortController;
  waiting: number;
}

export class SharedWork<Value> {
  readonly #running = new Map<string, Running<Value>>();

  /**
   * Joins the work of this key, or starts it. Work that every caller has given up is aborted.
   *
   * @throws what the work throws; the signal's reason if it is aborted
   */
  async run(
    key: string,
    start: (signal: AbortSignal) => Promise<Value>,
    signal?: AbortSignal,
  ): Promise<Value> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, start);
    running.waiting += 1;
    try {
      return await (signal === undefined ? running.value : unlessAborted(running.value, signal));
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0) running.stop.abort();
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<Value>): Running<Value> {
    const stop = new AbortController();
    const value = start(stop.signal);
    const running: Running<Value> = { value, stop, waiting: 0 };
    this.#running.set(key, running);
    const forget = (): void => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    // Later callers must not join work that was given up.
    stop.signal.addEventListener("abort", forget, { once: true });
    value.then(forget, forget);
    return running;
  }
}

function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    value.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", giveUp);
    });
  });
}
