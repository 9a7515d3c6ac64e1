/** Judges what a reader does with an input: a result, or one clear line, within limits of time and memory. */
import { getHeapStatistics } from "node:v8";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Target } from "./target.ts";

export interface Verdict {
  /** A finding: neither a result nor a refusal in one line, or beyond a limit. */
  readonly isFailure: boolean;
  /** The kind of the result, the error without its numbers and names, or what is wrong. Equal causes have equal texts. */
  readonly text: string;
  /** For a finding, what a person needs to see: the message and the stack. */
  readonly details: string;
}

/** Limits of one input. */
export interface Limits {
  /** Processor time in milliseconds, which other programs on the machine do not affect. */
  readonly time: number;
  /** For inputs under 4 KB. */
  readonly timeOfSmall: number;
  /** In bytes. */
  readonly memory: number;
  /** Characters of a message: one clear line. */
  readonly message: number;
}

export const limits: Limits = { time: 2000, timeOfSmall: 1000, memory: 256 * 1024 ** 2, message: 1000 };
const small = 4096;

/** Runs a target on an input. Never throws. */
export async function judge(
  target: Target,
  input: Uint8Array,
  { time, timeOfSmall, memory }: Limits = limits,
): Promise<Verdict> {
  const before = memoryInUse();
  const start = process.cpuUsage();
  let verdict: Verdict;
  try {
    verdict = { isFailure: false, text: await target.run(input), details: "" };
  } catch (error) {
    verdict = judgeError(error);
  }
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  const bytes = memoryInUse() - before;
  if (verdict.isFailure) return verdict;
  const own = typeof target.time === "function" ? target.time(input) : target.time;
  const limit = own ?? (input.length < small ? timeOfSmall : time);
  if (milliseconds > limit)
    return failure("too slow", `${milliseconds.toFixed(0)} ms, at most ${limit} ms expected`);
  const most = target.memory ?? memory;
  if (bytes > most) return failure("too much memory", `${bytes} bytes, at most ${most} expected`);
  return verdict;
}

/** Bytes of objects and of array buffers, some of which may be garbage. Faster than process.memoryUsage. */
function memoryInUse(): number {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics();
  return heap + buffers;
}

/** A verdict on an error that a reader threw, or that reached the process. */
export function judgeError(error: unknown): Verdict {
  if (!(error instanceof Error)) return failure(`not an error: ${typeof error}`, String(error));
  if (!(error instanceof InputError))
    return failure(`${error.name}: ${generalised(error.message)}${place(error)}`, stackOf(error));
  if (error.message.trim() === "") return failure("an empty message", stackOf(error));
  const lines = [error.message, ...error.details];
  if (lines.some((line) => /\p{Cc}/u.test(line))) {
    return failure(`more than one line, or control characters${place(error)}`, stackOf(error));
  }
  if (lines.some((line) => line.length > limits.message)) {
    return failure(`a message of more than ${limits.message} characters${place(error)}`, stackOf(error));
  }
  return { isFailure: false, text: `refused: ${generalised(error.message)}`, details: "" };
}

export function failure(text: string, details: string): Verdict {
  return { isFailure: true, text, details };
}

/** A message without what differs between inputs with the same cause. */
export function generalised(message: string): string {
  return message
    .slice(0, 400)
    .replaceAll(/\/\S*clipscope-fuzz-\w+/g, "")
    .replace(/"(?:[^"\\]|\\.)*"?/g, '""')
    .replace(/[-+]?\d[\d.e+-]*/g, "0")
    .replace(/(0[, ×x]*)+/g, "0")
    .slice(0, 120);
}

/** Where an error was thrown in this project, without line numbers: they change with every edit. */
function place(error: Error): string {
  const frame = /at (?:async )?(\S+) \(?(?!\S*node_modules)\S*\/((?:lib|cli)\/[^\s:]+)/.exec(
    error.stack ?? "",
  );
  return frame === null ? "" : ` in ${frame[1]} (${frame[2]})`;
}

function stackOf(error: Error): string {
  const cause =
    error.cause instanceof Error ? `\n  caused by ${error.cause.stack ?? error.cause.message}` : "";
  return `${(error.stack ?? error.message).slice(0, 3000)}${cause.slice(0, 1000)}`;
}
