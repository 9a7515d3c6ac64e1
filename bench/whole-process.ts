/** A whole process, from start to exit. */
import { spawnSync } from "node:child_process";

export interface WholeProcess {
  readonly seconds: number;
  /** Bytes of memory at most. */
  readonly peak: number;
}

/** Node with some arguments. It tells its peak on a channel of its own. @throws Error if it fails */
export function nodeProcess(...args: readonly string[]): WholeProcess {
  const tellPeak = `process.on("exit", () => require("node:fs").writeSync(3, String(process.resourceUsage().maxRSS)))`;
  const hook = `data:text/javascript,import{createRequire}from"node:module";const require=createRequire("file:///");${encodeURIComponent(tellPeak)}`;
  const { seconds, output } = run(process.execPath, ["--import", hook, ...args]);
  return { seconds, peak: 1024 * Number(output[3]) };
}

/** A program whose last line is its peak. @throws Error if it fails */
export function programProcess(command: string, args: readonly string[]): WholeProcess {
  const { seconds, output } = run(command, args);
  return { seconds, peak: Number(output[1]!.trim().split("\n").at(-1)) };
}

function run(command: string, args: readonly string[]): { seconds: number; output: (string | null)[] } {
  const start = performance.now();
  const { status, output, stderr, error } = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    encoding: "utf8",
  });
  const seconds = (performance.now() - start) / 1000;
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr.trim()}`);
  return { seconds, output };
}
