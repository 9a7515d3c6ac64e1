/**
 * A small counter-based generator of random numbers (splitmix32): 32-bit integer arithmetic only, so that a seed
 * gives the same scenes and pictures on every machine. Not for cryptography.
 */
export class Random {
  #state: number;

  /** Numbers such as (seed, index, stream): every combination is its own sequence. */
  constructor(...key: readonly number[]) {
    this.#state = key.reduce((state, part) => mix((state ^ mix(part | 0)) + GOLDEN_GAMMA), 0);
  }

  /** 0 to 2³² − 1. */
  uint32(): number {
    this.#state = (this.#state + GOLDEN_GAMMA) | 0;
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

  /** True once in 1 / probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("Random.pick: nothing to pick from (an empty list)");
    return choice;
  }
}

const GOLDEN_GAMMA = 0x9e3779b9;

/** The finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
