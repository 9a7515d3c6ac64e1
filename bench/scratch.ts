/** Files and folders that are deleted when this process ends, also by Ctrl-C. */
import { rmSync } from "node:fs";

const paths = new Set<string>();

export function removeAtExit(path: string): void {
  if (paths.size === 0) {
    process.once("exit", removeAll);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        removeAll();
        process.kill(process.pid, signal);
      });
    }
  }
  paths.add(path);
}

function removeAll(): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true });
}
