/** Files and folders that are deleted if the process ends before its work does. */
import { rmSync } from "node:fs";

/** Path → whether it is still ours to delete. */
const paths = new Map<string, () => boolean>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The last path is deleted first: a lock must outlive the files that it protects. */
function removeAll(): void {
  for (const [path, isOurs] of [...paths].reverse()) {
    try {
      if (isOurs()) rmSync(path, { recursive: true, force: true });
    } catch {
      // The process ends anyway, and the next run removes what is left.
    }
  }
}

function onSignal(signal: NodeJS.Signals): void {
  // If the program handles the signal itself, its work ends in order.
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  stopListening();
  process.kill(process.pid, signal);
}

function stopListening(): void {
  process.off("exit", removeAll);
  for (const signal of signals) process.off(signal, onSignal);
}

/**
 * Deletes a file or folder if SIGINT, SIGTERM, SIGHUP or `process.exit` ends the process. Returns a function that
 * revokes this.
 *
 * @param isOurs asked before the deletion
 */
export function removeAtExit(path: string, isOurs = (): boolean => true): () => void {
  if (paths.size === 0) {
    process.on("exit", removeAll);
    // Before other listeners, because those added by `once` are no longer counted after their call.
    for (const signal of signals) process.prependListener(signal, onSignal);
  }
  paths.set(path, isOurs);
  return () => {
    if (paths.delete(path) && paths.size === 0) stopListening();
  };
}
