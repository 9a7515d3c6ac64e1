/**
 * The `clipscope` process: runs the program on this terminal, and keeps the promise that the exit status is 0, 1 or 2
 * whatever happens.
 */
import { run } from "./program.ts";
import { Terminal } from "./terminal/terminal.ts";

const terminal = new Terminal(process);
terminal.debug = process.argv.includes("--debug");
// TensorFlow reads it when its library is opened: 0 shows everything.
if (terminal.debug) process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "0";

let done = false;

function fail(error: unknown): never {
  terminal.report(error);
  done = true;
  process.exit(2);
}

process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever reads has seen enough (`clipscope … | head`).
  if (error.code !== "EPIPE") fail(error);
  done = true;
  process.exit(0);
});
process.stderr.on("error", () => undefined);
process.on("exit", (status) => {
  if (done && [0, 1, 2].includes(status)) return;
  if (!done) terminal.report(new Error("ended before its work was done"));
  process.exitCode = 2;
});

// Not with an await: Node ends with a status of its own where that waits for nothing.
void run(process.argv.slice(2), terminal).then((status) => {
  process.exitCode = status;
  done = true;
});
