/**
 * Python's `random.random()` for a seed.
 *
 * Source: cpython, Modules/_randommodule.c (init_by_array, random). Paper: Matsumoto and Nishimura, 1998.
 */
import { TorchRandom } from "./torch-random.ts";

const size = 624;

export class PythonRandom {
  readonly #words: TorchRandom;

  private constructor(words: TorchRandom) {
    this.#words = words;
  }

  /** As `random.seed(seed)`. @param seed not negative */
  static seeded(seed: bigint): PythonRandom {
    const key: number[] = [];
    for (let rest = seed; rest > 0n || key.length === 0; rest >>= 32n) key.push(Number(rest & 0xffffffffn));
    const state = Uint32Array.from(new TorchRandom(19650218).state.slice(0, size));
    const mixed = (i: number, factor: number): number =>
      state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), factor);
    let i = 1;
    const advance = (): void => {
      if (++i < size) return;
      state[0] = state[size - 1]!;
      i = 1;
    };
    for (let k = 0; k < Math.max(size, key.length); k++) {
      const j = k % key.length;
      state[i] = mixed(i, 1664525) + key[j]! + j;
      advance();
    }
    for (let k = 1; k < size; k++) {
      state[i] = mixed(i, 1566083941) - i;
      advance();
    }
    state[0] = 0x80000000;
    return new PythonRandom(TorchRandom.restore([...state, size])!);
  }

  /** What `restore` continues from. */
  get state(): number[] {
    return this.#words.state;
  }

  /** A generator that continues where `state` was taken; null if it is not one. */
  static restore(state: readonly unknown[]): PythonRandom | null {
    const words = TorchRandom.restore(state);
    return words && new PythonRandom(words);
  }

  /** 0 ≤ number < 1, with 53 bits. */
  unit(): number {
    const high = this.#words.uint32() >>> 5;
    const low = this.#words.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }
}
