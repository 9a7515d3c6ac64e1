/**
 * Locks, each held by one process at a time.
 *
 * Node does not provide the operating system's locks, so a lock is a symbolic link whose target is the identity of its
 * holder. A link is created together with its target in one step. On file
 * systems without symbolic links, the lock is a file.
 *
 * A process that ends without releasing its lock (SIGKILL, power failure) leaves the link behind, and the next process
 * takes the lock over. Timeouts are not used: the operating system reports whether a holder is alive. It cannot do so for a
 * process on another machine or in another container, whose lock stays valid until the link is deleted.
 *
 * Taking over never replaces the lock of another process, because two processes could then both succeed. Instead, the
 * lock identified by TOKEN is succeeded by `PATH.TOKEN`, which only one process can create. The last lock of this chain is
 * in force. Its holder then moves it to PATH.
 */
import { randomBytes } from "node:crypto";
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { lstat, open, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "../../errors/input-error.ts";
import { unwritable } from "./output-path.ts";
import { removeAtExit } from "./remove-at-exit.ts";

/** A process, as a lock identifies it. */
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

/** The content of a lock. */
export interface LockHolder extends ProcessIdentity {
  /** Unique to this lock. */
  readonly token: string;
}

export interface HeldLock {
  readonly release: () => Promise<void>;
}

/** A lock that another process holds. */
export interface LockOfOther {
  readonly heldBy: LockHolder;
  /** False if the operating system cannot say whether the holder still runs. */
  readonly isCertain: boolean;
}

/**
 * Takes a lock, or returns its holder. The lock of a dead process is taken over.
 *
 * @param name what is locked, for messages
 * @throws InputError if the lock cannot be written, or something else is at its path
 */
export async function takeLock(path: string, name: string = path): Promise<HeldLock | LockOfOther> {
  const own: LockHolder = { ...(await thisProcess()), token: randomBytes(12).toString("hex") };
  for (;;) {
    const chain = await readChain(path);
    const last = chain.at(-1);
    const state = last === undefined ? "dead" : await stateOf(last);
    if (last !== undefined && state !== "dead") return { heldBy: last, isCertain: state === "alive" };
    const place = last === undefined ? path : successorOf(path, last);
    const isCreated = await createLock(place, own).catch((error: unknown) => {
      throw unwritable(name, error);
    });
    if (!isCreated) continue; // another process was faster
    if (last === undefined) return heldLock(path, own);
    if ((await readHolder(path))?.token !== chain[0]!.token) {
      // The chain was released or shortened meanwhile, so this link succeeds nothing.
      await rm(place, { force: true });
      continue;
    }
    try {
      for (const holder of chain) await rename(successorOf(path, holder), path);
    } catch (error) {
      await rm(place, { force: true });
      throw unwritable(name, error);
    }
    return heldLock(path, own);
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

function heldLock(path: string, own: LockHolder): HeldLock {
  // Not the lock of a process that started after a user deleted this one.
  const keep = removeAtExit(path, () => readContentSync(path).endsWith(own.token));
  return {
    release: async () => {
      // A lock that cannot be deleted ends with this process.
      const isOwn = await readHolder(path).then(
        (holder) => holder?.token === own.token,
        () => false,
      );
      if (isOwn) await rm(path, { force: true }).catch(() => undefined);
      // Not before: the process may be ended while the lock is deleted.
      keep();
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
  const text = await readContent(path).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  if (text === null) return null;
  const [title, content = ""] = text.split("?");
  const fields = new URLSearchParams(content);
  const field = (name: keyof LockHolder): string => fields.get(name) ?? "";
  const token = field("token");
  if (title !== lockTitle || !/^[0-9a-f]{24}$/.test(token)) {
    throw new InputError(`${path}: expected a lock of clipscope, found something else; move it away`);
  }
  return {
    pid: Number(field("pid")),
    host: field("host"),
    machine: field("machine"),
    boot: field("boot"),
    container: field("container"),
    start: field("start"),
    token,
  };
}

const lockTitle = "clipscope-lock";

/** The target of a link, or the content of a file; null if there is neither. */
async function readContent(path: string): Promise<string | null> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return await readlink(path);
    if (!found.isFile()) return "";
    for (let attempt = 0; attempt < 20; attempt++) {
      const text = await readFile(path, "utf8");
      if (text !== "") return text;
      await sleep(50); // its creator has yet to write it
    }
    return "";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** The content of an existing lock. @throws an error of the system if there is none */
function readContentSync(path: string): string {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path, "utf8");
}

/** @returns false if there is a lock already */
async function createLock(path: string, { pid, ...others }: LockHolder): Promise<boolean> {
  const text = `${lockTitle}?${new URLSearchParams({ pid: `${pid}`, ...others }).toString()}`;
  try {
    await symlink(text, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return false;
    if (["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"].includes(code)) return createLockFile(path, text);
    throw error;
  }
}

/** As `createLock`, on a file system without symbolic links. */
async function createLockFile(path: string, text: string): Promise<boolean> {
  const file = await open(path, "wx").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return null;
    throw error;
  });
  if (file === null) return false;
  try {
    await file.writeFile(text);
    return true;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
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
      start: (await readStat(process.pid))?.start ?? "",
    };
  })();
  return identity;
}

/** Whether the holder runs; unknown if the operating system cannot say. */
async function stateOf(holder: LockHolder): Promise<"alive" | "dead" | "unknown"> {
  const here = await thisProcess();
  if (holder.host !== here.host || holder.machine !== here.machine) return "unknown";
  // A restart ended every process of this machine. Without an id, it might be another machine of the same name.
  if (holder.boot !== here.boot) return holder.machine === "" ? "unknown" : "dead";
  if (holder.container !== here.container) return "unknown";
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return "dead";
  }
  const found = await readStat(holder.pid);
  // Without the start, the number might belong to another process by now.
  if (found === null || holder.start === "") return "unknown";
  // A zombie has ended, but its parent has not noticed.
  return found.start === holder.start && !["Z", "X"].includes(found.state) ? "alive" : "dead";
}

/** A process as Linux describes it; null on other systems, and where the system hides other users' processes. */
async function readStat(pid: number): Promise<{ readonly state: string; readonly start: string } | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field, in parentheses, is the program's name, which may contain spaces.
  const [state, ...others] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = others[18];
  return state === undefined || start === undefined ? null : { state, start };
}
