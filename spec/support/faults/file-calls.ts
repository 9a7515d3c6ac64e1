/**
 * Observes and disturbs the calls of `node:fs` that change files in a folder, for specs of kills, full disks and power
 * failures. Reading is not observed.
 */
import fs, { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join, resolve } from "node:path";

/** A call that changes files. */
export interface FileCall {
  /** `open` (for writing), `write`, `sync`, `truncate`, `close`, `mkdir`, `link`, `symlink`, `copy`, `rename`, `remove` */
  readonly name: string;
  /** Absolute: the file, or source and destination. */
  readonly paths: readonly string[];
  /** Whether the caller expects the result, or else a promise of it. */
  readonly isSync: boolean;
  /** Does the call. */
  readonly proceed: () => unknown;
  /** Does a part of it, synchronously: half of the bytes, or one file of a folder. Null for calls that are atomic. */
  readonly half: (() => void) | null;
}

type Operation = (...args: unknown[]) => unknown;
type Operations = Record<string, Operation>;

const calls: Readonly<Record<string, string>> = {
  mkdir: "mkdir",
  link: "link",
  symlink: "symlink",
  copyFile: "copy",
  rename: "rename",
  rm: "remove",
  unlink: "remove",
  writeFile: "write",
};
const handleCalls: Readonly<Record<string, string>> = {
  write: "write",
  writeFile: "write",
  appendFile: "write",
  sync: "sync",
  datasync: "sync",
  truncate: "truncate",
  close: "close",
};

/**
 * Passes each call to `around` instead of doing it.
 *
 * @param around does the call, or something else, and returns what the caller receives
 * @returns a function that stops this
 */
export async function aroundFileCalls(
  folder: string,
  around: (call: FileCall) => unknown,
): Promise<() => void> {
  const root = `${resolve(folder)}/`;
  const isInside = (path: unknown): path is string =>
    typeof path === "string" && `${resolve(path)}/`.startsWith(root);
  const paths = new WeakMap<object, { readonly path: string; readonly isWritten: boolean }>();
  const descriptors = new Map<unknown, string>();
  const undo: (() => void)[] = [];

  const patch = (object: Operations, name: string, replacement: (original: Operation) => Operation): void => {
    const original = object[name]!;
    object[name] = replacement(original);
    undo.push(() => {
      object[name] = original;
    });
  };

  const promises = fs.promises as unknown as Operations;
  const sync = fs as unknown as Operations;
  for (const [operation, name] of Object.entries(calls)) {
    const replacement =
      (isSync: boolean) =>
      (original: Operation): Operation =>
        function (...args) {
          // The first argument of `symlink` is the target, which may be any text.
          const given = ["link", "copy", "rename"].includes(name)
            ? args.slice(0, 2)
            : [args[name === "symlink" ? 1 : 0]];
          if (!given.some(isInside)) return original(...args);
          const absolute = (given as string[]).map((path) => resolve(path));
          return around({
            name,
            paths: absolute,
            isSync,
            proceed: () => original(...args),
            half: halfOf(name, absolute),
          });
        };
    patch(promises, operation, replacement(false));
    patch(sync, `${operation}Sync`, replacement(true));
  }

  const handle = await fs.promises.open(process.execPath);
  const handlePrototype = Object.getPrototypeOf(handle) as Operations;
  await handle.close();
  patch(
    promises,
    "open",
    (original) =>
      function (path, flags = "r", ...more) {
        if (!isInside(path)) return original(path, flags, ...more);
        const isWritten = opensForWriting(flags);
        const open = async (): Promise<unknown> => {
          const handle = (await original(path, flags, ...more)) as object;
          paths.set(handle, { path: resolve(path), isWritten });
          return handle;
        };
        return isWritten
          ? around({ name: "open", paths: [resolve(path)], isSync: false, proceed: open, half: null })
          : open();
      },
  );
  for (const [operation, name] of Object.entries(handleCalls)) {
    patch(
      handlePrototype,
      operation,
      (original) =>
        function (this: FileHandle, ...args) {
          const opened = paths.get(this);
          if (opened === undefined || (name === "close" && !opened.isWritten))
            return original.apply(this, args);
          return around({
            name,
            paths: [opened.path],
            isSync: false,
            proceed: () => original.apply(this, args),
            half:
              name === "write"
                ? () => {
                    writeHalf(this.fd, args);
                  }
                : null,
          });
        },
    );
  }

  patch(
    sync,
    "openSync",
    (original) =>
      function (path, flags = "r", ...more) {
        if (!isInside(path) || !opensForWriting(flags)) return original(path, flags, ...more);
        const open = (): unknown => {
          const descriptor = original(path, flags, ...more);
          descriptors.set(descriptor, resolve(path));
          return descriptor;
        };
        return around({ name: "open", paths: [resolve(path)], isSync: true, proceed: open, half: null });
      },
  );
  for (const [operation, name] of [
    ["writeSync", "write"],
    ["closeSync", "close"],
    ["fsyncSync", "sync"],
  ] as const) {
    patch(
      sync,
      operation,
      (original) =>
        function (...args) {
          const path = descriptors.get(args[0]);
          if (path === undefined) return original(...args);
          const proceed = (): unknown => {
            if (name === "close") descriptors.delete(args[0]);
            return original(...args);
          };
          const half = (): void => {
            writeHalf(args[0] as number, args.slice(1));
          };
          return around({ name, paths: [path], isSync: true, proceed, half: name === "write" ? half : null });
        },
    );
  }
  syncBuiltinESMExports();
  return () => {
    for (const restore of undo.reverse()) restore();
    syncBuiltinESMExports();
  };
}

/** @param flags of `open`, as a text or a number */
function opensForWriting(flags: unknown): boolean {
  if (typeof flags !== "number") return flags !== "r";
  return (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
}

// The originals, since the patched functions would observe the halves.
const { writeSync, readFileSync, writeFileSync, readdirSync, rmSync } = fs;

/** @param args of `write` (bytes, start, length, position) or `writeFile` (bytes or text) */
function writeHalf(descriptor: number, [data, start, length, position]: readonly unknown[]): void {
  const bytes = typeof data === "string" ? Buffer.from(data) : (data as Uint8Array);
  const from = typeof start === "number" ? start : 0;
  const count = typeof length === "number" ? length : bytes.length - from;
  writeSync(descriptor, bytes, from, Math.floor(count / 2), typeof position === "number" ? position : null);
}

function halfOf(name: string, [path, target]: readonly string[]): (() => void) | null {
  if (name === "copy") {
    return () => {
      const bytes = readFileSync(path!);
      writeFileSync(target!, bytes.subarray(0, bytes.length / 2));
    };
  }
  if (name !== "remove") return null;
  return () => {
    try {
      rmSync(join(path!, readdirSync(path!)[0]!), { recursive: true });
    } catch {
      // It is not a folder, or an empty one.
    }
  };
}
