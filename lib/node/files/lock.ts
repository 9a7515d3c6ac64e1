/**
 * Lock files, each held by one process at a time.
 *
 * Node does not provide the operating system's locks, so a lock is a file with the identity of its holder. A process
 * that ends without releasing its lock (SIGKILL, power failure) leaves the file behind, and the next process takes the
 * lock over. Timeouts are not used: the operating system reports whether a holder is alive. It cannot do so for a
 * process on another machine or in another container, whose lock stays valid until the file is deleted.
 *
 * Taking over never replaces a file, because two processes could then both succeed. Instead, the lock identified by TOKEN
 * is succeeded by the file `PATH.TOKEN`, which only one process can create. The last lock of this chain is in force.
 */
import { randomBytes } from "node:crypto";
import { link, open, readFile, readlink, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "../../errors/input-error.ts";
import { unwritable } from "./output-path.ts";

/** A process, as a lock file identifies it. */
interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Identifies the machine; empty if it has no such id. */
  readonly machine: string;
  /** Changes when the machine restarts; empty if the system does not provide it. */
  readonly boot: string;
  /** The container in which the process number is valid; empty if the system does not provide it. */
  readonly container: string;
  /** When the process started, in clock ticks since the boot; empty if the system does not provide it. */
  readonly start: string;
}

/** The content of a lock file. */
export interface LockHolder extends ProcessIdentity {
  /** Unique to this lock. */
  readonly token: string;
}

export interface HeldLock {
  /** The lock's files. */
  readonly files: readonly string[];
  readonly release: () => Promise<void>;
}

/**
 * Takes a lock, or returns its holder. The lock of a dead process is taken over.
 *
 * @throws InputError if the lock file cannot be written, or is another kind of file
 */
export async function takeLock(path: string): Promise<HeldLock | { readonly heldBy: LockHolder }> {
  const own: LockHolder = { ...(await thisProcess()), token: randomBytes(12).toString("hex") };
  for (;;) {
    const chain = await readChain(path);
    const last = chain.at(-1);
    if (last !== undefined && (await isAlive(last))) return { heldBy: last };
    const place = last === undefined ? path : successorOf(path, last);
    if (!(await createLockFile(place, own))) continue; // another process was faster
    // If the chain was released while the file was created, the file succeeds no lock and is removed.
    const root = chain[0] ?? own;
    if ((await readHolder(path))?.token === root.token) return heldLock(path, [...chain, own]);
    await rm(place, { force: true });
  }
}

/**
 * Waits until the lock is free, and holds it while `use` runs.
 *
 * @param onWait called once, if another process holds it
 */
export async function withLock<T>(
  path: string,
  { onWait, signal }: { readonly onWait: (holder: LockHolder) => void; readonly signal: AbortSignal },
  use: () => Promise<T>,
): Promise<T> {
  let lock = await takeLock(path);
  if ("heldBy" in lock) onWait(lock.heldBy);
  while ("heldBy" in lock) {
    await sleep(250, undefined, { signal });
    lock = await takeLock(path);
  }
  try {
    return await use();
  } finally {
    await lock.release();
  }
}

/** "process 1234", "process 1234 on HOST" for another machine, "this process". */
export function describeHolder({ pid, host }: LockHolder): string {
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return pid === process.pid ? "this process" : `process ${pid}`;
}

function successorOf(path: string, { token }: LockHolder): string {
  return `${path}.${token}`;
}

function heldLock(path: string, chain: readonly LockHolder[]): HeldLock {
  // The first file is deleted first. From then on, the others are ignored.
  const files = [path, ...chain.map((holder) => successorOf(path, holder))];
  return {
    files,
    release: async () => {
      if ((await readHolder(path))?.token === chain[0]!.token) {
        for (const file of files) await rm(file, { force: true });
      }
    },
  };
}

/** The locks from the first one to the one in force. */
async function readChain(path: string): Promise<LockHolder[]> {
  const chain: LockHolder[] = [];
  for (let at = path; ;) {
    const holder = await readHolder(at);
    if (holder === null) return chain;
    chain.push(holder);
    at = successorOf(path, holder);
  }
}

async function readHolder(path: string): Promise<LockHolder | null> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unwritable(path, error);
  });
  if (text === null) return null;
  const lines = text.split("\n");
  const [title, pid, host, machine, boot, container, start, token] = lines;
  if (title !== lockTitle || token === undefined || !/^[0-9a-f]{24}$/.test(token)) {
    throw new InputError(`${path}: expected a lock file, found something else; move it away`);
  }
  return {
    pid: Number(pid),
    host: host!,
    machine: machine!,
    boot: boot!,
    container: container!,
    start: start!,
    token,
  };
}

const lockTitle = "clipscope lock";

/** Creates a file with its content in one step. @returns false if it exists */
async function createLockFile(path: string, holder: LockHolder): Promise<boolean> {
  const { pid, host, machine, boot, container, start, token } = holder;
  const temporary = `${path}.${token}.new`;
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile([lockTitle, pid, host, machine, boot, container, start, token, ""].join("\n"));
    } finally {
      await file.close();
    }
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw unwritable(path, error);
  } finally {
    await rm(temporary, { force: true });
  }
}

let identity: Promise<ProcessIdentity> | undefined;

function thisProcess(): Promise<ProcessIdentity> {
  identity ??= (async () => {
    const read = async (path: string): Promise<string> =>
      (await readFile(path, "utf8").catch(() => "")).trim();
    return {
      pid: process.pid,
      host: hostname(),
      machine: await read("/etc/machine-id"),
      boot: await read("/proc/sys/kernel/random/boot_id"),
      container: await readlink("/proc/self/ns/pid").catch(() => ""),
      start: await startOf(process.pid),
    };
  })();
  return identity;
}

/** Whether the holder may still run. */
async function isAlive(holder: LockHolder): Promise<boolean> {
  const here = await thisProcess();
  if (holder.host !== here.host || holder.machine !== here.machine) return true;
  // A restart ended every process of this machine. Without an id, it might be another machine of the same name.
  if (holder.boot !== here.boot) return holder.machine === "";
  if (holder.container !== here.container) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  // The number of a dead process may belong to another process by now.
  return holder.start === (await startOf(holder.pid));
}

async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field, in parentheses, is the program's name, which may contain spaces.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
