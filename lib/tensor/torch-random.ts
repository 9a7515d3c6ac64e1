/**
 * PyTorch's random numbers on the CPU, which reproduce its initial weights and its order of examples for a seed.
 *
 * The generator is MT19937. Paper: Matsumoto and Nishimura, 1998 (ACM TOMACS 8(1)).
 * Source: pytorch, aten/src/ATen/core/TransformationHelper.h (bits to numbers), native/TensorFactories.cpp (randperm),
 * torch/utils/data (the draws of a DataLoader).
 */

const size = 624;
const period = 397;

export class TorchRandom {
  readonly #state = new Uint32Array(size);
  #next = size;

  /** @param seed as for `torch.manual_seed`; only the lower 32 bits are used */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < size; i++) {
      const before = state[i - 1]!;
      state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  /** What `restore` continues from: the 624 words of the generator, and how many of them are used. */
  get state(): number[] {
    return [...this.#state, this.#next];
  }

  /** A generator that continues where `state` was taken; null if it is not one. */
  static restore(state: readonly unknown[]): TorchRandom | null {
    const isWord = (value: unknown): boolean => Number.isInteger(value) && (value as number) >>> 0 === value;
    if (state.length !== size + 1 || !state.every(isWord) || Number(state[size]) > size) return null;
    const random = new TorchRandom(0);
    random.#state.set(state.slice(0, size) as number[]);
    random.#next = Number(state[size]);
    return random;
  }

  /** 0 to 2³² − 1. */
  uint32(): number {
    if (this.#next === size) this.#twist();
    let bits = this.#state[this.#next++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  /** `torch.empty(count).uniform_(-bound, bound)` */
  uniform(count: number, bound: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.uniformBetween(-bound, bound));
  }

  /** `torch.empty(1).uniform_(low, high).item()` */
  uniformBetween(low: number, high: number): number {
    const [from, to] = [Math.fround(low), Math.fround(high)];
    const unit = (this.uint32() & 0xffffff) / 2 ** 24;
    return Math.fround(unit * Math.fround(to - from) + from); // rounded once, like a fused multiply-add
  }

  /** `torch.randint(0, count, (1,)).item()` */
  below(count: number): number {
    return this.uint32() % count;
  }

  /** `torch.randperm(count)` */
  permutation(count: number): number[] {
    const numbers = Array.from({ length: count }, (_, i) => i);
    for (let i = 0; i < count - 1; i++) {
      const other = i + (this.uint32() % (count - i));
      [numbers[i], numbers[other]] = [numbers[other]!, numbers[i]!];
    }
    return numbers;
  }

  /** The order of examples in the next epoch of a shuffling DataLoader. */
  loaderOrder(count: number): number[] {
    return this.loaderEpoch(count).order;
  }

  /** The next epoch of a shuffling DataLoader. Worker w is seeded with `workerSeed` + w. */
  loaderEpoch(count: number): { readonly order: number[]; readonly workerSeed: bigint } {
    // A seed for the workers, then one for the sampler's generator: 64 bits each, the upper half first.
    const drawn = Array.from({ length: 4 }, () => this.uint32());
    const workerSeed = (BigInt(drawn[0]! & 0x7fffffff) << 32n) | BigInt(drawn[1]!);
    return { order: new TorchRandom(drawn[3]!).permutation(count), workerSeed };
  }

  /** An epoch of a DataLoader that does not shuffle: it draws a seed for its workers, used or not. */
  skipLoader(): void {
    this.uint32();
    this.uint32();
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < size; i++) {
      const bits = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
      state[i] = state[(i + period) % size]! ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
