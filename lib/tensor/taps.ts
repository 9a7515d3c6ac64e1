/**
 * Taps: named values inside a forward pass, for whoever wants to look.
 *
 * A tap's name is the path of the module that put the value out, which is also its state-dict prefix and its name in
 * PyTorch's `named_modules()`; values that no PyTorch module has carry a `#` ("….attn#probabilities"). Sinks are in
 * dynamic scope: `withTaps(sink, () => model.encodeImage(pixels))`. Without a sink a tap costs one null check.
 */
import { tidy, type Tensor } from "@tensorflow/tfjs-core";

/**
 * Receives each tapped value as the pass runs. It borrows the tensor: whatever it wants to keep it copies before it
 * returns (`value.dataSync()`; `keep(value.clone())`, for without `keep` a clone goes when the sink returns).
 */
export type TapSink = (name: string, value: Tensor) => void;

/** Carries a value along a chain of asynchronous calls. */
export interface AsyncScope<T> {
  getStore(): T | undefined;
  run<R>(value: T, callback: () => R): R;
}

/** Where the host has nothing better (browsers): in force while `callback` runs, up to its first await. */
class SynchronousScope<T> implements AsyncScope<T> {
  #value: T | undefined;

  getStore(): T | undefined {
    return this.#value;
  }

  run<R>(value: T, callback: () => R): R {
    const outer = this.#value;
    this.#value = value;
    try {
      return callback();
    } finally {
      this.#value = outer;
    }
  }
}

let scope: AsyncScope<TapSink> = new SynchronousScope();

/** Sets what carries sinks across awaits; lib/node sets Node's AsyncLocalStorage. */
export function setTapScope(asyncScope: AsyncScope<TapSink>): void {
  scope = asyncScope;
}

/** The sink of the code that runs at this moment. */
let current: TapSink | null = null;

/** Passes run one after another: a pass that awaits weights must not emit into the sink of another. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Hands a value to the sink in scope, if there is one.
 *
 * @param present gives the value as PyTorch lays it out, where ours is laid out otherwise (channels last)
 */
export function tap<T extends Tensor>(name: string, value: T, present?: (value: T) => Tensor): void {
  const sink = current;
  if (sink === null) return;
  tidy(() => {
    sink(name, present ? present(value) : value);
  });
}

/**
 * Runs `run` with `sink` receiving every tap of the passes and layers that it starts.
 *
 * Under Node that holds across awaits. In a browser, start the passes before the first await in `run`.
 */
export function withTaps<R>(sink: TapSink, run: () => R): R {
  const outer = current;
  current = sink;
  try {
    return scope.run(sink, run);
  } finally {
    current = outer;
  }
}

/** Runs a forward pass that awaits (for weights) when all passes before it are done, with the caller's sink. */
export function pass<R>(run: () => Promise<R>): Promise<R> {
  const sink = scope.getStore() ?? null;
  const result = queue.then(async () => {
    current = sink;
    try {
      return await run();
    } finally {
      current = null;
    }
  });
  queue = result.catch(() => undefined);
  return result;
}
