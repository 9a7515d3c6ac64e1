/** Runs the command line: in this process, or as a separate process to observe its exit. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { run } from "../../cli/program.ts";
import { Terminal, type ExitStatus } from "../../cli/terminal/terminal.ts";
import { packageRoot } from "./paths.ts";

export interface Result {
  readonly status: ExitStatus;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Circumstances {
  /** Standard output and standard error are a terminal of this width. Default: not a terminal. */
  readonly columns?: number;
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Called before anything is written to standard output. */
  readonly onPrint?: () => void;
}

/** `clipscope …args`, in this process. */
export async function clipscope(args: readonly string[], around: Circumstances = {}): Promise<Result> {
  const { columns, stdin = "", env = {}, onPrint } = around;
  const written = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof written): { write: (text: string) => void } => ({
    ...(columns === undefined ? {} : { columns, isTTY: true }),
    write: (text) => {
      if (name === "stdout") onPrint?.();
      written[name] += text;
    },
  });
  const terminal = new Terminal({
    stdin: chunks(stdin),
    stdout: stream("stdout"),
    stderr: stream("stderr"),
    env,
  });
  return { status: await run(args, terminal), ...written };
}

// eslint-disable-next-line @typescript-eslint/require-await -- standard input is asynchronous; this one is complete
async function* chunks<T>(content: T): AsyncGenerator<T, void, undefined> {
  yield content;
}

export interface ProcessResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface ProcessCircumstances {
  readonly nodeArgs?: readonly string[];
  /** Close the pipe of standard output. */
  readonly stopReading?: "at once" | "after the first bytes";
  /** Send SIGINT after this many milliseconds, or when this settles. */
  readonly interruptAfter?: number | Promise<unknown>;
  /** The shell's limit on file sizes, in blocks of 512 bytes. */
  readonly fileLimit?: number;
  /** A file or device for standard output, instead of a pipe. */
  readonly stdoutFile?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `node bin/clipscope.js …args`, with a standard input that never ends. */
export async function clipscopeProcess(
  args: readonly string[],
  { nodeArgs = [], stopReading, interruptAfter, fileLimit, stdoutFile, env }: ProcessCircumstances = {},
): Promise<ProcessResult> {
  const command = [process.execPath, ...nodeArgs, "bin/clipscope.js", ...args];
  const [program, ...rest] =
    fileLimit === undefined ? command : ["sh", "-c", `ulimit -f ${fileLimit}; exec "$@"`, "sh", ...command];
  const output = stdoutFile === undefined ? "pipe" : openSync(stdoutFile, "w");
  const child = spawn(program!, rest, {
    cwd: packageRoot,
    env: { ...process.env, ...env },
    stdio: ["pipe", output, "pipe"],
  });
  if (output !== "pipe") closeSync(output);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    if (stopReading === "after the first bytes") child.stdout?.destroy();
  });
  if (stopReading === "at once") child.stdout?.destroy();
  child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  if (interruptAfter !== undefined) {
    const moment = typeof interruptAfter === "number" ? setTimeout(interruptAfter) : interruptAfter;
    void moment.then(() => child.kill("SIGINT"));
  }
  const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { status, signal, stdout, stderr };
}
