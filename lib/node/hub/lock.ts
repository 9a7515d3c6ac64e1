/**
 * One of several processes does a piece of work. Node has no locks of the system's; this is a file that its owner keeps
 * touching, so that it outlives neither a killed process nor, on a shared disk, another machine's.
 *
 * It spares double work and nothing more: what is guarded by it must stay sound without it.
 */
import { open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { unreadable } from "../file-source.ts";

const touchEvery = 5_000;
/** A lock that was not touched for so long is nobody's. */
const staleAfter = 6 * touchEvery;
const lookEvery = 250;

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
  let hasWaited = false;
  while (!(await take(path))) {
    if (!hasWaited) onWait();
    hasWaited = true;
    await sleep(lookEvery, undefined, { signal });
  }
  const touching = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, touchEvery);
  try {
    return await use();
  } finally {
    clearInterval(touching);
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(`${process.pid} ${hostname()}\n`).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw unreadable(path, error);
  }
  if (!(await isStale(path))) return false;
  // Renamed first: of two that find it stale at the same time, one has it.
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  await rm(aside, { force: true });
  return false;
}

async function isStale(path: string): Promise<boolean> {
  try {
    const [pid, host] = (await readFile(path, "utf8")).trim().split(" ");
    if (host === hostname() && !isRunning(Number(pid))) return true;
    return Date.now() - (await stat(path)).mtimeMs > staleAfter;
  } catch {
    return false; // released meanwhile
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
