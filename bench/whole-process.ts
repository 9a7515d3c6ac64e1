/** Time and peak memory of whole processes, from start to exit. */
import { spawnSync } from "node:child_process";

export interface WholeProcess {
  readonly seconds: number;
  /** Peak memory in bytes. */
  readonly peak: number;
}

/** Runs Node, which reports its peak memory on file descriptor 3. @throws Error if the process fails */
export function nodeProcess(...args: readonly string[]): WholeProcess {
  const reportPeak = `process.on("exit", () => require("node:fs").writeSync(3, String(process.resourceUsage().maxRSS)))`;
  const hook = `data:text/javascript,import{createRequire}from"node:module";const require=createRequire("file:///");${encodeURIComponent(reportPeak)}`;
  const { seconds, output } = run(process.execPath, ["--import", hook, ...args]);
  return { seconds, peak: 1024 * Number(output[3]) };
}

/** Runs a program whose last line of output is its peak memory in bytes. @throws Error if the process fails */
export function programProcess(command: string, args: readonly string[]): WholeProcess {
  const { seconds, output } = run(command, args);
  return { seconds, peak: Number(output[1]!.trim().split("\n").at(-1)) };
}

function run(command: string, args: readonly string[]): { seconds: number; output: (string | null)[] } {
  const start = performance.now();
  const { status, output, stderr, error } = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 2 ** 28, // a line for each of ten thousand images
  });
  const seconds = (performance.now() - start) / 1000;
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr.trim()}`);
  return { seconds, output };
}
