/**
 * `npm run fuzz`: feeds generated inputs to every reader. Each must give a result or one clear line, within limits of time
 * and memory.
 *
 * This process starts a child that runs the inputs, shows one line of progress, and saves what the child finds. A child
 * that crashes or hangs is a finding as well; the next child continues with another seed.
 */
import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCurrentInput, type CurrentState, type Job, type Message, type Progress } from "./messages.ts";
import { minimise } from "./minimise.ts";
import { parseOptions, usage, type FuzzOptions } from "./options.ts";

/** An input that takes longer is stuck. Wall time: generous, since other programs may use the machine. */
const stuckAfter = 30_000;
const lookEvery = 1000;
/** A target with this many crashes or hangs is left out: each one costs a new process. */
const mostCrashes = 3;
/** Milliseconds for making an input that crashes or hangs smaller; every attempt takes a process. */
const minimiseFor = 60_000;
const stuckWhileMinimising = 8000;
/** In MB. */
const heapLimit = 1024;

interface ChildResult {
  /** Why the child did not finish its job; null if it did. */
  readonly crash: { readonly reason: string; readonly current: CurrentState } | null;
  readonly isFailure: boolean;
}

/** Runs a child until its job is done, or it crashes or is stuck. */
async function runChild(
  job: Omit<Job, "folder">,
  onMessage: (message: Message) => void,
  stuck = stuckAfter,
): Promise<ChildResult> {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-fuzz-"));
  const child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [], {
    execArgv: ["--enable-source-maps", `--max-old-space-size=${heapLimit}`],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, CLIPSCOPE_BACKEND: "cpu" },
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-4000)));
  const seen = { done: false, failure: false };
  child.on("message", (message: Message) => {
    if (message.kind === "done") seen.done = true;
    if (message.kind === "verdict") seen.failure = message.isFailure;
    onMessage(message);
  });
  child.send({ ...job, folder } satisfies Job);
  try {
    const reason = await endOf(child, folder, stuck);
    if (seen.done) return { crash: null, isFailure: seen.failure };
    const current = readCurrentInput(folder);
    if (current === null) throw new Error(`the child failed before its first input: ${reason}\n${stderr}`);
    return { crash: { reason: `${reason}${lastLines(stderr)}`, current }, isFailure: true };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for the end of a child, and ends it if an input is stuck. */
function endOf(child: ChildProcess, folder: string, stuck: number): Promise<string> {
  return new Promise((settle) => {
    let last = -1;
    let since = Date.now();
    let isStuck = false;
    const watch = setInterval(() => {
      const count = readCurrentInput(folder)?.count ?? -1;
      if (count !== last) [last, since] = [count, Date.now()];
      if (Date.now() - since < stuck) return;
      isStuck = true;
      child.kill("SIGKILL");
    }, lookEvery);
    child.on("close", (status, signal) => {
      clearInterval(watch);
      settle(
        isStuck ? `no end after ${stuck / 1000} s` : `the process ended with ${signal ?? `status ${status}`}`,
      );
    });
  });
}

/** V8 explains the end of its process on standard error. */
function lastLines(stderr: string): string {
  const line = /FATAL ERROR: [^\n]*|[^\n]*Error: [^\n]*/.exec(stderr)?.[0];
  return line === undefined ? "" : ` (${line.slice(0, 200)})`;
}

interface Total extends Progress {
  readonly findings: number;
}

const nothing: Total = { inputs: 0, kept: 0, milliseconds: 0, digest: "", findings: 0 };

class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #totals = new Map<string, Total>();
  readonly #found = new Set<string>();
  readonly #start = Date.now();

  constructor(options: FuzzOptions) {
    this.#options = options;
  }

  /** Runs the targets one after another, `workers` at once. @returns the number of findings */
  async run(): Promise<number> {
    const { minutes, workers, targets } = this.#options;
    const deadline = this.#start + minutes * 60_000;
    const waiting = [...targets];
    const worker = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        // What a target leaves of its time is the others'.
        const rounds = Math.max(1, (waiting.length + 1) / workers);
        await this.#fuzz(name, Date.now() + (deadline - Date.now()) / rounds);
      }
    };
    await Promise.all(Array.from({ length: workers }, worker));
    this.#showProgress("");
    this.#printTable();
    return this.#found.size;
  }

  /** Fuzzes one target. After a crash or a hang it continues in another process, with another seed. */
  async #fuzz(target: string, deadline: number): Promise<void> {
    const { inputs, seed, corpus } = this.#options;
    for (let round = 0; round < mostCrashes && Date.now() < deadline; round++) {
      const before = this.#totals.get(target) ?? nothing;
      const job = {
        target,
        seed: seed + round * 1_000_003,
        time: deadline - Date.now(),
        inputs,
        corpus,
        replay: null,
      };
      const { crash } = await runChild(job, (message) => {
        if (message.kind === "finding") {
          this.#save(target, message.text, message.details, Buffer.from(message.input, "base64"));
        } else if (message.kind === "progress") {
          const { inputs: done, kept, milliseconds, digest } = message.progress;
          this.#totals.set(target, {
            ...(this.#totals.get(target) ?? nothing),
            inputs: before.inputs + done,
            milliseconds: before.milliseconds + milliseconds,
            kept,
            digest,
          });
          this.#showProgress(this.#line(target));
        }
      });
      if (crash === null) return;
      await this.#reportCrash(target, crash.reason, new Uint8Array(crash.current.input));
    }
  }

  async #reportCrash(target: string, reason: string, input: Uint8Array): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "clipscope-fuzz-"));
    const file = join(folder, "input");
    const { seed } = this.#options;
    const fails = async (candidate: Uint8Array): Promise<boolean> => {
      writeFileSync(file, candidate);
      const job = { target, seed, time: 0, inputs: 1, corpus: null, replay: file };
      return (await runChild(job, () => undefined, stuckWhileMinimising)).crash !== null;
    };
    const smallest = await minimise(input, fails, Date.now() + minimiseFor);
    rmSync(folder, { recursive: true });
    this.#save(target, reason, "", smallest);
  }

  /** Saves a failing input, once for each cause, and prints how to repeat the failure. */
  #save(target: string, text: string, details: string, input: Uint8Array): void {
    const key = `${target}: ${text}`;
    if (this.#found.has(key)) return;
    this.#found.add(key);
    const total = this.#totals.get(target) ?? nothing;
    this.#totals.set(target, { ...total, findings: total.findings + 1 });
    const folder = join(this.#options.out, target);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, createHash("sha1").update(key).digest("hex").slice(0, 12));
    writeFileSync(file, input);
    this.#showProgress("");
    console.log(`FOUND ${key} (${input.length} bytes)`);
    for (const line of details.split("\n").slice(0, 12)) console.log(`    ${line}`);
    console.log(`  npm run fuzz -- --only ${target} --replay ${file}`);
  }

  #line(target: string): string {
    const inputs = [...this.#totals.values()].reduce((sum, total) => sum + total.inputs, 0);
    const { kept } = this.#totals.get(target)!;
    const seconds = (Date.now() - this.#start) / 1000;
    return (
      `${Math.round(seconds)} s, ${inputs} inputs (${Math.round(inputs / seconds)}/s), ` +
      `${this.#found.size} findings; ${target}: ${kept} inputs in its corpus`
    );
  }

  /** One line, on terminals only. */
  #showProgress(line: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
  }

  #printTable(): void {
    const rows = [...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1));
    console.log(`seed ${this.#options.seed}`);
    console.log("target                inputs   per second   corpus   findings   digest");
    for (const [name, { inputs, milliseconds, kept, findings, digest }] of rows) {
      const rate = Math.round((1000 * inputs) / Math.max(milliseconds, 1));
      console.log(
        `${name.padEnd(18)} ${String(inputs).padStart(9)} ${String(rate).padStart(12)} ${String(kept).padStart(8)} ` +
          `${String(findings).padStart(10)}   ${digest}`,
      );
    }
    const sum = rows.reduce((total, [, { inputs }]) => total + inputs, 0);
    const seconds = Math.round((Date.now() - this.#start) / 1000);
    console.log(`${sum} inputs in ${seconds} s, ${this.#found.size} findings`);
  }
}

async function replay({ targets: [target = ""], seed, replay: file }: FuzzOptions): Promise<number> {
  const job = { target, seed, time: 0, inputs: 1, corpus: null, replay: file };
  const { crash, isFailure } = await runChild(job, (message) => {
    if (message.kind === "verdict") console.log([message.text, message.details].join("\n").trimEnd());
  });
  if (crash !== null) console.log(crash.reason);
  return isFailure ? 1 : 0;
}

async function main(): Promise<number> {
  let options: FuzzOptions;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return 2;
  }
  if (options.replay !== null) return replay(options);
  return (await new Fuzzer(options).run()) > 0 ? 1 : 0;
}

process.exitCode = await main();
