/**
 * Taps: named values inside a forward pass, for a sink to observe.
 *
 * A tap's name is the path of the module whose output it is, which is also the module's state-dict prefix and its name
 * in PyTorch's `named_modules()`. The name of a value that no PyTorch module outputs contains a `#`
 * ("….attn#probabilities"). A sink observes the passes that start inside `withTaps(sink, () => model.encodeImage(pixels))`.
 * Without a sink, a tap costs one null check.
 */
import { keep, Tensor, tidy, type DataTypeMap } from "@tensorflow/tfjs-core";

/**
 * Receives each tapped value while the pass runs. The sink borrows the tensor: the pass disposes it.
 *
 * To read numbers, return a promise: `async (name, value) => { const numbers = await readTap(value); … }`. The pass
 * waits for the promises after each block, so at most one block's taps are kept at a time. This works on backends that
 * cannot read synchronously. A rejected promise fails the pass.
 */
export type TapSink = (name: string, value: Tensor) => unknown;

/**
 * Returns a tensor of the same shape that replaces a tapped value in the rest of the pass (activation patching), or null
 * to leave it unchanged. The pass disposes the returned tensor.
 */
export type Patch = (name: string, value: Tensor) => Tensor | null;

/** A sink with its patch. */
export interface Observer {
  readonly sink: TapSink;
  readonly patch: Patch | undefined;
  /** What the sink has not finished yet. */
  readonly pending: Promise<unknown>[];
}

/** Carries a value along a chain of asynchronous calls. */
export interface AsyncScope<T> {
  getStore(): T | undefined;
  run<R>(value: T, callback: () => R): R;
}

/**
 * For hosts without AsyncLocalStorage (browsers): a value is in force until the promise that `callback` returns settles.
 * If several calls overlap, the value of the latest one that has not settled is in force.
 */
export class OverlappingScope<T> implements AsyncScope<T> {
  readonly #values: { readonly value: T }[] = [];

  getStore(): T | undefined {
    return this.#values.at(-1)?.value;
  }

  run<R>(value: T, callback: () => R): R {
    const entry = { value };
    const leave = (): void => {
      this.#values.splice(this.#values.indexOf(entry), 1);
    };
    this.#values.push(entry);
    let result: R | undefined;
    try {
      result = callback();
    } finally {
      if (result instanceof Promise) result.then(leave, leave);
      else leave();
    }
    return result;
  }
}

let scope: AsyncScope<Observer> = new OverlappingScope();

/** Sets what carries sinks across awaits; lib/node sets Node's AsyncLocalStorage. */
export function setTapScope(asyncScope: AsyncScope<Observer>): void {
  scope = asyncScope;
}

/** The observer that a pass begun now would have. Ask before an await, and hand it to `pass` after it. */
export function observerInScope(): Observer | null {
  return scope.getStore() ?? null;
}

/** The observer of the running pass. */
let current: Observer | null = null;

/** Passes run one after another, so that a pass that awaits weights does not emit into another pass's sink. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Hands a value to the sink in scope, if there is one. Call it inside `tidy`, which disposes a replaced value.
 *
 * @returns the value, or its replacement
 */
export function tap<T extends Tensor>(name: string, value: T): T {
  const observer = current;
  if (observer === null) return value;
  return tidy(() => {
    const finished = observer.sink(name, value);
    if (finished instanceof Promise) {
      finished.catch(() => undefined); // settleTaps reports it
      observer.pending.push(finished);
    }
    return (observer.patch?.(name, value) as T | null | undefined) ?? value;
  });
}

/** As `tap`, for a value outside of `tidy`: it is disposed if it is replaced, or if the sink throws. */
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
 * Reads a tapped value inside a sink.
 *
 * The value is kept until its numbers have arrived, whatever the pass does with it meanwhile.
 */
export async function readTap(value: Tensor): Promise<DataTypeMap["float32"]> {
  const kept = keep(value.clone());
  try {
    return await kept.data<"float32">();
  } finally {
    kept.dispose();
  }
}

/** Waits for what the sink of the running pass has begun. @throws the first error of the sink */
export async function settleTaps(): Promise<void> {
  if (current !== null && current.pending.length > 0) await settle(current);
}

async function settle({ pending }: Observer): Promise<void> {
  const outcomes = await Promise.allSettled(pending.splice(0));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/**
 * Runs `run` with `sink` receiving every tap of the passes and layers that it starts.
 *
 * In a browser, do not overlap two calls whose `run` awaits something before it calls the model: see
 * `OverlappingScope`.
 * @param patch may replace values that the sink has seen
 */
export function withTaps<R>(sink: TapSink, run: () => R, patch?: Patch): R {
  const outer = current;
  const observer = { sink, patch, pending: [] };
  current = observer;
  try {
    return scope.run(observer, run);
  } finally {
    current = outer;
  }
}

/**
 * Runs a forward pass that awaits weights, after all passes before it.
 *
 * @param observer receives its taps. Default: the one in scope
 * @throws what `run` throws, or the first error of the sink
 */
export function pass<R>(run: () => Promise<R>, observer = observerInScope()): Promise<R> {
  const result = queue.then(async () => {
    current = observer;
    try {
      const output = await run();
      await settleTaps().catch((error: unknown) => {
        if (output instanceof Tensor) output.dispose();
        throw error;
      });
      return output;
    } finally {
      await Promise.allSettled(observer?.pending.splice(0) ?? []);
      current = null;
    }
  });
  queue = result.catch(() => undefined);
  return result;
}
