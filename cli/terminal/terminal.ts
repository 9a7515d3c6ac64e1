/** The output of a command: results on standard output, everything else on standard error. */
import picocolors from "picocolors";
import { InputError } from "../../lib/errors/input-error.ts";
import { TryAgainError } from "../../lib/errors/try-again-error.ts";
import { printable } from "./format.ts";
import { progressLine, type ShowProgress } from "./progress-line.ts";

/**
 * 0 done, 1 a check failed, 2 wrong use or bad input; 75 (EX_TEMPFAIL), from `clipscope index` alone, a condition that
 * may pass, on which schedulers run the task again.
 */
export const exitStatuses = [0, 1, 2, 75] as const;
export type ExitStatus = (typeof exitStatuses)[number];

export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** The parts of the process that a command uses; specs pass their own. */
export interface Surroundings {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Smaller counts finish before a bar would be useful. */
const progressFrom = 6;
const eraseLine = "\r\x1b[K";

/** The output of one run. */
export class Terminal {
  readonly #around: Surroundings;
  readonly colors: ReturnType<typeof picocolors.createColors>;
  /** Print stack traces with errors. */
  debug = false;
  /** Stop when the reader of standard output has closed the pipe. False for a command that has files to finish. */
  endsWithReader = true;
  /** The exit status of the process. */
  status: ExitStatus = 0;
  #isProgressShown = false;

  constructor(around: Surroundings) {
    this.#around = around;
    this.colors = picocolors.createColors(wantsColors(around.stdout, around.env));
  }

  /** Columns of standard output; 80 if it is not a terminal. */
  get width(): number {
    return columnsOf(this.#around.stdout);
  }

  get stdin(): AsyncIterable<Uint8Array | string> {
    return this.#around.stdin;
  }

  get env(): Surroundings["env"] {
    return this.#around.env;
  }

  /** Writes a line of the result. */
  print(line = ""): void {
    this.write(`${line}\n`);
  }

  /** Writes the result as lines. */
  printLines(lines: Iterable<string>): void {
    for (const line of lines) this.print(line);
  }

  /** Writes the result as one JSON document; an array has one item per line. */
  printJson(document: unknown): void {
    if (!Array.isArray(document)) {
      this.print(JSON.stringify(document));
      return;
    }
    // One item at a time: a string is limited to half a billion characters.
    const list = this.jsonList();
    for (const item of document) list.add(item);
    list.end();
  }

  /** Writes a JSON list item by item, so that none of them has to be kept. Without its end it is not valid JSON. */
  jsonList(): { readonly add: (item: unknown) => void; readonly end: () => void } {
    let line: string | undefined;
    return {
      add: (item) => {
        if (line !== undefined) this.print(`${line},`);
        line = `${line === undefined ? "[" : " "}${JSON.stringify(item)}`;
      },
      end: () => {
        this.print(line === undefined ? "[]" : `${line}]`);
      },
    };
  }

  /** Writes a remark to standard error, if that is a terminal. */
  note(line: string): void {
    const { stderr, env } = this.#around;
    if (stderr.isTTY !== true) return;
    this.writeError(`${picocolors.createColors(wantsColors(stderr, env)).dim(line)}\n`);
  }

  /** Writes a warning to standard error; the exit status does not change. */
  warn(line: string): void {
    this.writeError(`clipscope: ${line}\n`);
  }

  /** Writes an error and sets the exit status to 2, or to 75 for a `TryAgainError`. The command may continue with the rest of its work. */
  readonly report = (error: unknown): void => {
    this.status = error instanceof TryAgainError && this.status !== 2 ? 75 : 2;
    this.writeError(`${describeError(error, this.debug).join("\n")}\n`);
  };

  /** Sets the exit status of a check that failed, unless an error was reported. */
  fail(): void {
    if (this.status === 0) this.status = 1;
  }

  /** Writes text to standard error unchanged. */
  writeError(text: string): void {
    this.#write(this.#around.stderr, text);
  }

  /** Writes text to standard output unchanged. */
  write(text: string): void {
    this.#write(this.#around.stdout, text);
  }

  /**
   * Does work that shows its progress on one line of standard error, if that is a terminal. The line is erased
   * afterwards. The rate is measured from the first state with a new unit.
   */
  async progress<T>(work: (show: ShowProgress) => T | Promise<T>): Promise<T> {
    let start = 0;
    let unit = "";
    const show: ShowProgress = (state) => {
      const columns = columnsOf(this.#around.stderr);
      if (typeof state === "string") {
        this.#showProgress(printable(state).slice(0, columns - 1));
        return;
      }
      if (state.unit !== unit) [start, unit] = [Date.now(), state.unit];
      if (state.total < progressFrom) return;
      this.#showProgress(progressLine(state, (Date.now() - start) / 1000, columns));
    };
    try {
      return await work(show);
    } finally {
      this.#eraseProgress();
    }
  }

  /**
   * `progress` for a known number of items.
   *
   * @param unit what is counted, in the plural
   */
  counting<T>(
    total: number,
    unit: string,
    work: (update: (done: number, before?: number) => void) => T | Promise<T>,
  ): Promise<T> {
    return this.progress((show) => {
      show({ done: 0, total, unit });
      return work((done, before = 0) => {
        show({ done, before, total, unit });
      });
    });
  }

  #showProgress(line: string): void {
    const { stderr, env } = this.#around;
    if (stderr.isTTY !== true || env["TERM"] === "dumb") return;
    stderr.write(`${eraseLine}${line}`);
    this.#isProgressShown = true;
  }

  #eraseProgress(): void {
    if (this.#isProgressShown) this.#around.stderr.write(eraseLine);
    this.#isProgressShown = false;
  }

  /** Erases the progress line first; its next update shows it again. */
  #write(stream: OutputStream, text: string): void {
    this.#eraseProgress();
    stream.write(text);
  }
}

/** 80 if it is not a terminal, or one of unknown width (which reports 0). */
function columnsOf({ columns = 0 }: OutputStream): number {
  return columns > 0 ? columns : 80;
}

/** https://no-color.org and https://force-color.org; otherwise only terminals get colours. */
function wantsColors(stream: OutputStream, env: Surroundings["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** One line, then indented details if the error has any. */
function describeError(error: unknown, debug: boolean): string[] {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const line = printable(message.replace(/\s*\n\s*/g, "; "));
  const details = error instanceof InputError ? error.details : [];
  // System errors, such as a full disk, are not bugs.
  const isExpected = error instanceof InputError || (error instanceof Error && "syscall" in error);
  const lines = isExpected
    ? [`clipscope: ${line}`, ...details.map((detail) => `  ${detail}`)]
    : [`clipscope: internal error: ${line}${debug ? "" : " (--debug shows where)"}`];
  if (debug && stack !== undefined) lines.push(stack);
  return lines;
}
