/** The `clipscope` process. Runs the program on this terminal; the exit status is always one of `exitStatuses`. */
import { getSystemErrorMap } from "node:util";
import { InputError } from "../lib/errors/input-error.ts";
import { run } from "./program.ts";
import { exitStatuses, Terminal, type ExitStatus } from "./terminal/terminal.ts";

const terminal = new Terminal(process);
terminal.debug = process.argv.includes("--debug");
// TensorFlow reads this when its library is opened; 0 shows all messages.
if (terminal.debug) process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "0";

let isDone = false;

function exit(status: ExitStatus): never {
  isDone = true;
  process.exit(status);
}

function fail(error: unknown): never {
  terminal.report(error);
  exit(2);
}

process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader has closed the pipe (`clipscope … | head`). Errors so far, or a failed check, still count.
  if (error.code === "EPIPE") {
    if (terminal.endsWithReader) exit(terminal.status);
    return;
  }
  const [, reason = error.message] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  fail(new InputError(`standard output: ${reason}; the output is incomplete`, [], { cause: error }));
});
process.stderr.on("error", () => undefined);
process.on("exit", (status) => {
  if (isDone && exitStatuses.some((known) => known === status)) return;
  if (!isDone) terminal.report(new Error("the process ended before its work was done"));
  process.exitCode = 2;
});

// Not awaited: if a top-level await never settles, Node exits with status 13.
void run(process.argv.slice(2), terminal).then((status) => {
  process.exitCode = status;
  isDone = true;
});
