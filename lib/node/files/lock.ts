/**
 * Locks between processes. Node does not provide the system's locks. This is a file that its holder keeps touching, so
 * that a lock becomes invalid when its process has ended, even on another machine with the same disk.
 */
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const touchEvery = 5_000;
/** A lock that was not touched for this long is invalid. */
const staleAfter = 6 * touchEvery;
const lookEvery = 250;

export type Lock = { readonly release: () => Promise<void> } | { readonly heldBy: string };

/** Takes a lock, or tells which process holds it. The lock of a dead process is taken over. */
export async function takeLock(path: string): Promise<Lock> {
  let heldBy = "";
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, `${process.pid} ${hostname()}\n`, { flag: "wx" });
      return { release: keepTouching(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const content = await readFile(path, "utf8").catch(() => undefined);
    if (content === undefined) continue; // just released
    heldBy = content.trim();
    if (!(await isStale(path, heldBy))) break;
    // Renamed before it is deleted: if two processes find it stale, only one succeeds.
    const aside = `${path}-${process.pid}`;
    await rename(path, aside).catch(() => undefined);
    await rm(aside, { force: true });
  }
  return { heldBy };
}

/**
 * Waits until the lock is free, and holds it while `use` runs.
 *
 * @param onWait called once, if another process holds it
 */
export async function withLock<T>(
  path: string,
  { onWait, signal }: { readonly onWait: () => void; readonly signal: AbortSignal },
  use: () => Promise<T>,
): Promise<T> {
  let lock = await takeLock(path);
  if ("heldBy" in lock) onWait();
  while ("heldBy" in lock) {
    await sleep(lookEvery, undefined, { signal });
    lock = await takeLock(path);
  }
  try {
    return await use();
  } finally {
    await lock.release();
  }
}

function keepTouching(path: string): () => Promise<void> {
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, touchEvery);
  touching.unref();
  return async () => {
    clearInterval(touching);
    await rm(path, { force: true });
  };
}

async function isStale(path: string, holder: string): Promise<boolean> {
  const [pid, host] = holder.split(" ");
  if (host === hostname() && !isRunning(Number(pid))) return true;
  // Processes of other machines are unknown, and after a restart the number may belong to another process.
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > staleAfter,
    () => false,
  );
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
