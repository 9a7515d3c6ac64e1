/**
 * Taps: named values inside a forward pass, for a sink to observe.
 *
 * A tap's name is the path of the module whose output it is, which is also the module's state-dict prefix and its name
 * in PyTorch's `named_modules()`. The name of a value that no PyTorch module outputs contains a `#`
 * ("….attn#probabilities"). A sink observes the passes that start inside `withTaps(sink, () => model.encodeImage(pixels))`.
 * Without a sink, a tap costs one null check.
 */
import { keep, Tensor, tidy, type DataTypeMap } from "@tensorflow/tfjs-core";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";

/**
 * Receives each tapped value while the pass runs. The sink borrows the tensor: the pass disposes it.
 *
 * To read numbers, return a promise: `async (name, value) => { const numbers = await readTap(value); … }`. The pass
 * waits for the promises after each block, so at most one block's taps are kept at a time. This works on backends that
 * cannot read synchronously. A sink that throws, or whose promise is rejected, fails the pass.
 *
 * A promise that never settles stops the pass and all passes after it: passes run one after another. For the same reason
 * a sink cannot start a pass; keep what it needs, and start the pass when the first one is done.
 */
export type TapSink = (name: string, value: Tensor) => unknown;

/**
 * Returns a tensor of the same shape and dtype that replaces a tapped value in the rest of the pass (activation
 * patching), or null to leave it unchanged. It is synchronous. The pass disposes the returned tensor.
 */
export type Patch = (name: string, value: Tensor) => Tensor | null;

/** A sink with its patch. */
export interface Observer {
  readonly sink: TapSink;
  readonly patch: Patch | undefined;
  /** What the sink has not finished yet. */
  readonly pending: Promise<unknown>[];
  /** The pass whose sink has called what runs now, if any. */
  readonly calledBy: RunningPass | null;
}

interface RunningPass {
  isOver: boolean;
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
let runningPass: RunningPass | null = null;

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
    callSink(observer, name, value);
    const replacement = observer.patch?.(name, value) ?? null;
    if (replacement === null) return value;
    assertReplaces(replacement, name, value);
    return replacement as T;
  });
}

function callSink(observer: Observer, name: string, value: Tensor): void {
  const { sink, pending } = observer;
  scope.run({ ...observer, calledBy: runningPass }, () => {
    const result = sink(name, value);
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return;
    const finished = Promise.resolve(result);
    // The pass reports the error. Without a pass, nobody waits: the error must not vanish.
    if (runningPass !== null) finished.catch(() => undefined);
    pending.push(finished);
  });
}

/** @throws InputError unless the replacement is a tensor like the value */
function assertReplaces(given: unknown, name: string, { shape, dtype }: Tensor): void {
  const expected = `the patch of "${name}": expected null or a tensor of ${dtype} [${shape}], found`;
  if (!(given instanceof Tensor)) throw new InputError(`${expected} ${found(given)}`);
  const replacement = given as Tensor;
  if (replacement.isDisposed) throw new InputError(`${expected} a disposed tensor`);
  if (replacement.dtype !== dtype || replacement.shape.join() !== shape.join()) {
    throw new InputError(`${expected} ${replacement.dtype} [${replacement.shape}]`);
  }
}

/**
 * Runs something with one more patch, which gets each value after the observer's own patch.
 *
 * @param run is synchronous: the patch ends with it
 * @param repeats whether the pass has emitted these taps before; then the sink does not see them again
 */
export function withInnerPatch<R>(patch: Patch, run: () => R, repeats: boolean): R {
  const outer = current;
  current = {
    sink: (name, value) => (repeats ? undefined : outer?.sink(name, value)),
    pending: outer?.pending ?? [],
    calledBy: outer?.calledBy ?? null,
    patch: (name, value) => {
      const replaced = outer?.patch?.(name, value) ?? null;
      return patch(name, replaced ?? value) ?? replaced;
    },
  };
  try {
    return run();
  } finally {
    current = outer;
  }
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

/** Waits for the promises that the sink of the running pass returned. @throws the first error of the sink */
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
 * @throws InputError unless the arguments are functions
 */
export function withTaps<R>(sink: TapSink, run: () => R, patch?: Patch): R {
  assertFunction(sink, "a function that receives each tap first");
  assertFunction(run, "a function that starts the passes second, as in () => model.encodeImage(pixels)");
  if (patch !== undefined) assertFunction(patch, "a function that returns replacements third");
  const outer = current;
  const outerPass = runningPass;
  const observer = { sink, patch, pending: [], calledBy: observerInScope()?.calledBy ?? null };
  current = observer;
  runningPass = null;
  try {
    return scope.run(observer, run);
  } finally {
    current = outer;
    runningPass = outerPass;
  }
}

function assertFunction(value: unknown, what: string): void {
  if (typeof value === "function") return;
  throw new InputError(`withTaps: expected ${what}, found ${found(value)}`);
}

/** @throws InputError if the sink of a running pass calls this: what waits for the pass would wait forever */
export function assertOutsideSinks(observer = observerInScope()): void {
  if (observer?.calledBy?.isOver !== false) return;
  throw new InputError(
    "a tap sink cannot start a pass or dispose a model, which would wait for the pass that it observes; do it after the pass",
  );
}

/**
 * Runs a forward pass that awaits weights, after all passes before it.
 *
 * @param observer receives its taps. Default: the one in scope
 * @throws what `run` throws, or the first error of the sink; InputError if a sink calls it
 */
export async function pass<R>(run: () => Promise<R>, observer = observerInScope()): Promise<R> {
  assertOutsideSinks(observer);
  const result = queue.then(async () => {
    const own = { isOver: false };
    current = observer;
    runningPass = own;
    try {
      const output = await run();
      await settleTaps().catch((error: unknown) => {
        if (output instanceof Tensor) output.dispose();
        throw error;
      });
      return output;
    } finally {
      await Promise.allSettled(observer?.pending.splice(0) ?? []);
      own.isOver = true;
      current = null;
      runningPass = null;
    }
  });
  queue = result.catch(() => undefined);
  return result;
}
