/**
 * For `node --import`: ends the process at a given call that changes files, as SIGKILL does, or tells its parent process
 * when the first one comes. The environment variable CLIPSCOPE_FAULT holds a `ProcessFault` as JSON.
 */
import fs from "node:fs";
import { aroundFileCalls } from "./file-calls.ts";

export interface ProcessFault {
  /** Only calls in this folder count. */
  readonly folder: string;
  /** The number of the call, from 1, and whether a half of it is done; null to announce the first call. */
  readonly kill: { readonly at: number; readonly half: boolean } | null;
  /** What `Date.now` is ahead of the clock, in milliseconds; it changes its sign with each call. */
  readonly clockJump?: number;
}

const { writeSync } = fs;
const { folder, kill, clockJump } = JSON.parse(process.env["CLIPSCOPE_FAULT"]!) as ProcessFault;
let count = 0;

await aroundFileCalls(folder, (call) => {
  count += 1;
  if (kill === null && count === 1) writeSync(3, ".");
  if (count !== kill?.at) return call.proceed();
  if (kill.half) call.half?.();
  process.kill(process.pid, "SIGKILL");
  return undefined;
});

if (clockJump !== undefined) {
  const { now } = Date;
  let jump = clockJump;
  Date.now = () => now() + (jump = -jump);
}
