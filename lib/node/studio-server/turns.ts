/** A queue for work that runs one at a time, whose waiters are told their place. */

interface Waiter {
  readonly start: () => void;
  readonly onPlace: (place: number) => void;
}

export class Turns {
  #isBusy = false;
  readonly #waiting: Waiter[] = [];

  /**
   * Runs `work` when all that was given before is done. Work that is given up while it waits leaves the queue at once.
   *
   * @param onPlace is told how many come first, whenever that changes; with 0 the work begins. Not called if none does
   * @throws what `work` throws; the signal's reason if it is aborted before
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal, onPlace: (place: number) => void): Promise<T> {
    signal.throwIfAborted();
    if (this.#isBusy) await this.#wait(signal, onPlace);
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
      this.#waiting.shift()?.start();
      this.#tellPlaces();
    }
  }

  #wait(signal: AbortSignal, onPlace: (place: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        this.#tellPlaces();
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        onPlace,
        start: () => {
          signal.removeEventListener("abort", leave);
          // Before another call can come in between: `run` continues in a microtask.
          this.#isBusy = true;
          onPlace(0);
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      onPlace(this.#waiting.push(waiter));
    });
  }

  #tellPlaces(): void {
    for (const [i, { onPlace }] of this.#waiting.entries()) onPlace(i + 1);
  }
}
