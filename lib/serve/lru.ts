/** A cache of limited size that forgets what was used longest ago. */
export class Lru<Value> {
  readonly #most: number;
  /** The most recently used last. */
  readonly #values = new Map<string, Value>();

  /** @param most values that are kept; 0 keeps none */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#most) return;
    const [oldest] = this.#values.keys();
    this.#values.delete(oldest!);
  }
}
