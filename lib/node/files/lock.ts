/**
 * One of several processes does a piece of work. Node has no locks of the system's; this is a file that its holder keeps
 * touching, so that it outlives neither a process of this machine nor, on a shared disk, one of another machine's for long.
 */
import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

const touchEvery = 5_000;
/** A lock that was not touched for so long is nobody's. */
const staleAfter = 6 * touchEvery;
const lookEvery = 250;

export type Lock = { readonly release: () => Promise<void> } | { readonly heldBy: string };

/** Takes a lock, unless it is held: by whom. One that a dead process left is taken over. */
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
    if (content === undefined) continue; // released meanwhile
    heldBy = content.trim();
    if (!(await isStale(path, heldBy))) break;
    // Moved aside before it is deleted: of two that find it stale only one moves it.
    const aside = `${path}-${process.pid}`;
    await rename(path, aside).catch(() => undefined);
    await rm(aside, { force: true });
  }
  return { heldBy };
}

/**
 * Waits until the lock is free, and holds it while it runs `use`.
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
  // Of another machine's processes nothing is known, and after a restart the number may be another's.
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
