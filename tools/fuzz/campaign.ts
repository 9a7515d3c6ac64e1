/** Fuzzes one target: picks inputs from a growing corpus, changes them, runs them, and keeps what reaches new behaviour. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Random } from "../demo-model/random.ts";
import type { Coverage } from "./coverage.ts";
import { minimise } from "./minimise.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { judge, judgeError, type Verdict } from "./oracle.ts";
import type { Target } from "./target.ts";

export interface Finding {
  readonly text: string;
  readonly details: string;
  readonly input: Uint8Array;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Null for targets that load too much code for it. */
  readonly coverage: Coverage | null;
  /** Called with each input before it runs, so that another process knows it after a crash. */
  readonly onInput: (input: Uint8Array) => void;
  readonly onFinding: (finding: Finding) => void;
  /** Called with each input that joins the corpus. */
  readonly onNew?: (input: Uint8Array) => void;
  /** Inputs of earlier runs, added to the target's seeds. */
  readonly corpus?: readonly Uint8Array[];
}

const defaultMaxSize = 65536;
/** Inputs that were kept for new behaviour; beyond it, a random one makes room. */
const mostKept = 3000;
/** Inputs between two looks at the coverage. */
const batchSize = 32;
/** Milliseconds for making an input smaller. */
const minimiseFor = 20_000;

/** Errors that reached the process instead of the caller. */
const strays: unknown[] = [];

/**
 * From now on, unhandled rejections and uncaught exceptions are findings of the current input.
 *
 * @returns a function that ends this
 */
export function watchStrayErrors(): () => void {
  const events = ["uncaughtException", "unhandledRejection"] as const;
  const keep = (error: unknown): void => void strays.push(error);
  // A test runner's own listeners would report these errors as well.
  const others = events.map((event) => process.rawListeners(event) as ((error: unknown) => void)[]);
  for (const event of events) process.removeAllListeners(event).on(event, keep);
  return () => {
    for (const [i, event] of events.entries()) {
      process.removeAllListeners(event);
      for (const listener of others[i]!) process.on(event, listener);
    }
  };
}

export class Campaign {
  inputs = 0;
  readonly #target: Target;
  readonly #options: CampaignOptions;
  readonly #random: Random;
  readonly #corpus: Uint8Array[] = [];
  readonly #pending: Uint8Array[];
  readonly #texts = new Set<string>();
  readonly #found = new Set<string>();
  readonly #history = createHash("sha1");
  /** Inputs since coverage was last taken that gave no new text. */
  #batch: Uint8Array[] = [];

  constructor(name: string, target: Target, options: CampaignOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(options.seed, ...Buffer.from(name));
    this.#pending = [...target.seeds, ...(options.corpus ?? [])].reverse();
  }

  get kept(): number {
    return this.#corpus.length;
  }

  /** A digest of all inputs and verdicts so far: equal for two runs with the same seed and number of inputs. */
  get digest(): string {
    return this.#history.copy().digest("hex").slice(0, 12);
  }

  /** Runs until a time (milliseconds since the epoch) or a total number of inputs. */
  async runUntil(deadline: number, inputs: number): Promise<void> {
    while (this.inputs < inputs && Date.now() < deadline) await this.#step();
  }

  /** The verdict on one input, with errors that reach the process. */
  async judge(input: Uint8Array): Promise<Verdict> {
    strays.length = 0;
    this.#options.onInput(input);
    const verdict = await judge(this.#target, input);
    await setImmediate(); // unhandled rejections are reported between two turns of the event loop
    if (strays.length === 0 || verdict.isFailure) return verdict;
    const stray = judgeError(strays[0]);
    return { ...stray, isFailure: true, text: `outside the call: ${stray.text}` };
  }

  async #step(): Promise<void> {
    const seed = this.#pending.pop();
    const input = seed ?? this.#newInput();
    const verdict = await this.judge(input);
    this.inputs += 1;
    this.#history.update(input).update(verdict.text);
    if (verdict.isFailure) await this.#report(input, verdict);
    else if (seed !== undefined || !this.#texts.has(verdict.text)) this.#keep(input, verdict.text);
    else this.#batch.push(input);
    if (this.inputs % batchSize === 0) await this.#keepNewInBatch();
  }

  /** Keeps those inputs of the batch that reached new code. They run again, one by one, if any of them did. */
  async #keepNewInBatch(): Promise<void> {
    const { coverage } = this.#options;
    const batch = this.#batch;
    this.#batch = [];
    if (coverage === null) return;
    const reached = await coverage.unreached();
    if (reached.length === 0) return;
    for (const input of batch) {
      const { isFailure, text } = await this.judge(input);
      const pieces = await coverage.unreached();
      coverage.mark(pieces);
      if (pieces.length > 0 && !isFailure) this.#keep(input, text);
    }
    // Also what does not run again, such as the setting-up of a codec.
    coverage.mark(reached);
  }

  #newInput(): Uint8Array {
    const { mutations, maxSize = defaultMaxSize } = this.#target;
    let input = this.#pick();
    for (let left = 1 + this.#random.below(4); left > 0; left--) {
      const isStructured = mutations.length > 0 && this.#random.chance(0.75);
      const mutation = isStructured ? this.#random.pick(mutations) : mutateBytes;
      input = mutation(input, this.#random, this.#pick());
    }
    return input.length > maxSize ? input.slice(0, maxSize) : input;
  }

  /** Recent inputs are picked more often: they lead to where nothing was tried yet. */
  #pick(): Uint8Array {
    const { length } = this.#corpus;
    if (length === 0) return new Uint8Array(0);
    const recent = Math.ceil(length / 4);
    const at = this.#random.chance(0.5)
      ? length - 1 - this.#random.below(recent)
      : this.#random.below(length);
    return this.#corpus[at]!;
  }

  #keep(input: Uint8Array, text: string): void {
    this.#texts.add(text);
    if (this.#corpus.length >= mostKept) this.#corpus.splice(this.#random.below(mostKept), 1);
    this.#corpus.push(input);
    this.#options.onNew?.(input);
  }

  /** Reports a failure once for each cause, with the smallest input that has it. */
  async #report(input: Uint8Array, verdict: Verdict): Promise<void> {
    if (this.#found.has(verdict.text)) return;
    const fails = async (candidate: Uint8Array): Promise<boolean> => {
      const { isFailure, text } = await this.judge(candidate);
      return isFailure && text === verdict.text;
    };
    // Once more: a pause of the machine or its garbage collector is not a finding.
    if (verdict.text.startsWith("too ") && !((await fails(input)) && (await fails(input)))) return;
    this.#found.add(verdict.text);
    const smallest = await minimise(input, fails, Date.now() + minimiseFor);
    const { details } = await this.judge(smallest);
    this.#options.onFinding({
      text: verdict.text,
      details: details === "" ? verdict.details : details,
      input: smallest,
    });
  }
}
