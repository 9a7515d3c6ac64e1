/** Runs other programs (the compiler, pip, npm). */
import { spawn } from "node:child_process";

import { InputError } from "../../lib/errors/input-error.ts";

/** Called with one line about the current step, which is shown on terminals only. */
export type Progress = (line: string) => void;

export interface Finished {
  /** Exit status; null if a signal ended the program. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The error message if the program does not exist. */
  readonly missing: string;
}

/**
 * Runs a program to its end, without standard input.
 *
 * @throws InputError with `missing` if the program does not exist
 */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: string[] = [];
    const err: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
    child.on("error", (error: NodeJS.ErrnoException) => {
      const absent = error.code === "ENOENT" || error.code === "EACCES";
      reject(absent ? new InputError(options.missing, [], { cause: error }) : error);
    });
    child.on("close", (status, signal) => {
      resolve({ status, signal, stdout: out.join(""), stderr: err.join("") });
    });
  });
}

/** The last lines of a program's output, for an error's details. */
export function lastLines(text: string, count = 6): string[] {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-count);
}
