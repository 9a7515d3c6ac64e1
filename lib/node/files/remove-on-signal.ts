/** Files that are deleted when a signal ends the process. */
import { rmSync } from "node:fs";

const paths = new Set<string>();

function cleanUp(signal: NodeJS.Signals): void {
  for (const path of paths) rmSync(path, { force: true });
  process.kill(process.pid, signal);
}

/** Deletes a file if SIGINT or SIGTERM ends the process. Returns a function that revokes this. */
export function removeOnSignal(path: string): () => void {
  if (paths.size === 0) process.once("SIGINT", cleanUp).once("SIGTERM", cleanUp);
  paths.add(path);
  return () => {
    if (paths.delete(path) && paths.size === 0) {
      process.off("SIGINT", cleanUp).off("SIGTERM", cleanUp);
    }
  };
}
