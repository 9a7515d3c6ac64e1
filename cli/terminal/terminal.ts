/** Where a command writes to: results to standard output, everything else to standard error. */
import picocolors from "picocolors";
import { InputError } from "../../lib/errors/input-error.ts";
import { progressLine } from "./progress.ts";
import { printable } from "./table.ts";

/** 0 done, 1 a check failed, 2 wrong use or bad input. */
export type ExitStatus = 0 | 1 | 2;

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What a command sees of the process; specs hand in their own. */
export interface Surroundings {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Progress {
  /** @param before how many of those that are done an earlier run did */
  readonly update: (done: number, before?: number) => void;
  readonly stop: () => void;
}

/** With no more than a handful of images there is nothing to wait for. */
const progressFrom = 6;
const eraseLine = "\r\x1b[K";

export class Terminal {
  readonly #around: Surroundings;
  readonly colors: ReturnType<typeof picocolors.createColors>;
  /** Print stacks with errors. */
  debug = false;
  /** What the process will say when it ends. */
  status: ExitStatus = 0;
  #isProgressShown = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.colors = picocolors.createColors(wantsColors(around.stdout, around.env));
  }

  /** Columns of standard output; 80 where it is no terminal. */
  get width(): number {
    return columnsOf(this.#around.stdout);
  }

  get stdin(): AsyncIterable<Uint8Array | string> {
    return this.#around.stdin;
  }

  /** Writes a line of the result. */
  print(line = ""): void {
    this.#write(this.#around.stdout, `${line}\n`);
  }

  /** Writes the result as one JSON document: lists of things with an item a line. */
  printJson(document: unknown): void {
    if (!Array.isArray(document)) {
      this.print(JSON.stringify(document));
      return;
    }
    // An item at a time: a string holds half a billion characters at most.
    const last = document.length - 1;
    if (last === -1) this.print("[]");
    for (const [i, item] of document.entries()) {
      this.print(`${i === 0 ? "[" : " "}${JSON.stringify(item)}${i === last ? "]" : ","}`);
    }
  }

  /** Says something in passing, if a person is watching. */
  note(line: string): void {
    const { stderr, env } = this.#around;
    if (stderr.isTTY !== true) return;
    this.#write(stderr, `${picocolors.createColors(wantsColors(stderr, env)).dim(line)}\n`);
  }

  /** Says what a person should look at, whoever is watching; the exit status stays. */
  warn(line: string): void {
    this.#write(this.#around.stderr, `clipscope: ${line}\n`);
  }

  /** Writes an error and makes 2 the exit status. The command may go on with the rest of its work. */
  report(error: unknown): void {
    this.status = 2;
    this.#write(this.#around.stderr, `${describeError(error, this.debug).join("\n")}\n`);
  }

  /** Text that goes to standard error as it is (a help page after wrong use). */
  writeError(text: string): void {
    this.#write(this.#around.stderr, text);
  }

  /** Text that goes to standard output as it is (a help page). */
  write(text: string): void {
    this.#write(this.#around.stdout, text);
  }

  /** A progress bar on standard error, if that is a terminal and the work is worth one. Stop it in any case. */
  progress(total: number, unit: string): Progress {
    const { stderr, env } = this.#around;
    if (stderr.isTTY !== true || env["TERM"] === "dumb" || total < progressFrom) {
      return { update: () => undefined, stop: () => undefined };
    }
    const start = Date.now();
    const update = (done: number, before = 0): void => {
      const line = progressLine(
        { done, before, total, unit, seconds: (Date.now() - start) / 1000 },
        columnsOf(stderr),
      );
      stderr.write(`${eraseLine}${line}`);
      this.#isProgressShown = true;
    };
    update(0);
    return {
      update,
      stop: () => {
        this.#eraseProgress();
      },
    };
  }

  /** The bar goes before anything else is written, and comes back with its next update. */
  #eraseProgress(): void {
    if (this.#isProgressShown) this.#around.stderr.write(eraseLine);
    this.#isProgressShown = false;
  }

  #write(stream: OutputStream, text: string): void {
    this.#eraseProgress();
    stream.write(text);
  }
}

/** 80 where it is no terminal, or one that does not know (it says 0). */
function columnsOf({ columns = 0 }: OutputStream): number {
  return columns > 0 ? columns : 80;
}

/** https://no-color.org and https://force-color.org; else colours are for terminals. */
function wantsColors(stream: OutputStream, env: Surroundings["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** One line, then indented details where an error has them. */
function describeError(error: unknown, debug: boolean): string[] {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const line = printable(message.replace(/\s*\n\s*/g, "; "));
  const details = error instanceof InputError ? error.details : [];
  // Errors of the system (a full disk) are nobody's bug.
  const isExpected = error instanceof InputError || (error instanceof Error && "syscall" in error);
  const lines = isExpected
    ? [`clipscope: ${line}`, ...details.map((detail) => `  ${detail}`)]
    : [`clipscope: internal error: ${line}${debug ? "" : " (--debug shows where)"}`];
  if (debug && stack !== undefined) lines.push(stack);
  return lines;
}
