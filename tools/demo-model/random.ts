/**
 * A small counter-based random number generator (splitmix32). It uses only 32-bit integer arithmetic, so that a seed
 * gives the same scenes and images on every machine. Not for cryptography.
 */
export class Random {
  #state: number;

  /** @param key numbers such as (seed, index, stream); every combination has its own sequence */
  constructor(...key: readonly number[]) {
    this.#state = key.reduce((state, part) => mix((state ^ mix(part | 0)) + goldenGamma), 0);
  }

  /** 0 to 2³² − 1. */
  uint32(): number {
    this.#state = (this.#state + goldenGamma) | 0;
    return mix(this.#state) >>> 0;
  }

  /** 0 ≤ number < 1. */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** low ≤ number < high. */
  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** 0 ≤ integer < limit. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("Random.pick: the list is empty");
    return choice;
  }
}

const goldenGamma = 0x9e3779b9;

/** The finalizer of MurmurHash3: every bit of the input affects every bit of the output. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
