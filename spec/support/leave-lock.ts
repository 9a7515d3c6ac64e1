import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { packageRoot } from "./paths.ts";

/** Leaves a lock file as a killed process does. */
export function leaveLock(path: string): void {
  const script = `
    const { takeLock } = await import(${JSON.stringify(`${packageRoot}dist/lib/node/files/lock.js`)});
    if (!("release" in (await takeLock(process.argv[1])))) process.exit(3);
    process.kill(process.pid, "SIGKILL");`;
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script, path]);
  assert.equal(signal, "SIGKILL");
}
