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

/**
 * Gives a tensor that takes a tapped value's place from there on (activation patching), of the same shape; null leaves
 * the value as it is. The pass disposes the tensor.
 */
export type Patch = (name: string, value: Tensor) => Tensor | null;

interface Observer {
  readonly sink: TapSink;
  readonly patch: Patch | undefined;
}

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

let scope: AsyncScope<Observer> = new SynchronousScope();

/** Sets what carries sinks across awaits; lib/node sets Node's AsyncLocalStorage. */
export function setTapScope(asyncScope: AsyncScope<Observer>): void {
  scope = asyncScope;
}

/** Who watches the code that runs at this moment. */
let current: Observer | null = null;

/** Passes run one after another: a pass that awaits weights must not emit into the sink of another. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Hands a value to the sink in scope, if there is one.
 *
 * @returns the value, or what takes its place: in an operation that frees what it does not return (`tidy`)
 */
export function tap<T extends Tensor>(name: string, value: T): T {
  const observer = current;
  if (observer === null) return value;
  return tidy(() => {
    observer.sink(name, value);
    return (observer.patch?.(name, value) as T | null | undefined) ?? value;
  });
}

/** As `tap`, for a value that nobody else will free: it is disposed where another takes its place, or a sink throws. */
export function tapOwned<T extends Tensor>(name: string, value: T): T {
  let shown: T | undefined;
  try {
    shown = tap(name, value);
    return shown;
  } finally {
    if (shown !== value) value.dispose();
  }
}

/**
 * Runs `run` with `sink` receiving every tap of the passes and layers that it starts.
 *
 * Under Node that holds across awaits. In a browser, start the passes before the first await in `run`.
 * @param patch may put other values in the place of those that the sink has seen
 */
export function withTaps<R>(sink: TapSink, run: () => R, patch?: Patch): R {
  const outer = current;
  const observer = { sink, patch };
  current = observer;
  try {
    return scope.run(observer, run);
  } finally {
    current = outer;
  }
}

/** Runs a forward pass that awaits (for weights) when all passes before it are done, with the caller's sink. */
export function pass<R>(run: () => Promise<R>): Promise<R> {
  const observer = scope.getStore() ?? null;
  const result = queue.then(async () => {
    current = observer;
    try {
      return await run();
    } finally {
      current = null;
    }
  });
  queue = result.catch(() => undefined);
  return result;
}
