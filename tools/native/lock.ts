/** A lock file, so that two processes do not build at once. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";

import { InputError } from "../../lib/tensor/errors.ts";

/**
 * Takes a lock. One that a dead process of this machine left is taken over.
 *
 * @returns what releases it.
 * @throws InputError naming the process that holds it.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${hostname()}\n`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await writeFile(path, mine, { flag: "wx" });
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const held = await readFile(path, "utf8").catch(() => undefined);
    if (held === undefined) continue;
    if (isHeld(held)) {
      throw new InputError(
        `another process (${held.trim()}) is building; wait for it, or delete ${path} if it is no more`,
      );
    }
    // Moved aside before it is deleted: of two that find it stale only one moves it.
    const aside = `${path}-${process.pid}`;
    try {
      await rename(path, aside);
    } catch {
      continue;
    }
    await rm(aside, { force: true });
  }
  throw new InputError(`the lock ${path} cannot be taken; delete it if no other process is building`);
}

/** Whether the process that a lock names is alive; of another machine's we cannot know. */
function isHeld(content: string): boolean {
  const [pid, host] = content.trim().split(" ");
  if (host !== hostname()) return host !== undefined;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
