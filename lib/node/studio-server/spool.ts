/**
 * Traces on disk. The values of one pass of a ViT-H are 766 MB, too much to keep several passes in memory.
 *
 * The folder can be read by its owner only, and is deleted at the end. A process that is killed leaves its folder behind;
 * the next one deletes it.
 */
import { mkdtemp, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { summarizeTap, type TapSummary } from "../../trace/tap-summary.ts";
import type { TapInfo, WritableTrace } from "../../trace/trace-source.ts";
import { removeAtExit } from "../files/remove-at-exit.ts";
import { unwritable } from "../files/output-path.ts";

/** The process's number is part of the name. */
const folderName = /^clipscope-studio-(\d+)-/;

export class Spool {
  readonly folder: string;
  readonly #keep: () => void;
  readonly #traces: WritableTrace[] = [];
  #next = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.#keep = removeAtExit(folder);
  }

  /** @param parent default: the system's temporary folder @throws InputError if no folder can be made there */
  static async create(parent = tmpdir()): Promise<Spool> {
    await removeLeftovers(parent);
    const prefix = join(parent, `clipscope-studio-${process.pid}-`);
    try {
      return new Spool(await mkdtemp(prefix)); // mkdtemp makes folders of mode 0700
    } catch (error) {
      throw unwritable(prefix, error);
    }
  }

  /** A new trace in the folder. */
  async newTrace(): Promise<WritableTrace> {
    const path = join(this.folder, `${this.#next++}.values`);
    try {
      const trace = new SpooledTrace(path, await open(path, "wx+", 0o600));
      this.#traces.push(trace);
      return trace;
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Closes and deletes all traces. */
  async close(): Promise<void> {
    for (const trace of this.#traces) await trace.dispose();
    await rm(this.folder, { recursive: true, force: true });
    this.#keep();
  }
}

/** Deletes the folders of processes that have ended. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const [, pid] = folderName.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined); // another user's
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

interface Entry extends TapInfo {
  /** In bytes. */
  readonly offset: number;
  /** In values. */
  readonly count: number;
}

/** The values of a pass in one file, as they come: float32, little-endian. */
class SpooledTrace implements WritableTrace {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  get taps(): readonly TapInfo[] {
    return [...this.#entries.values()].map(({ name, shape }) => ({ name, shape }));
  }

  get size(): number {
    return this.#size;
  }

  async add(name: string, shape: readonly number[], values: Float32Array): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const offset = this.#size;
    this.#size += bytes.length;
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw unwritable(this.#path, error);
    }
    this.#entries.set(name, { name, shape, offset, count: values.length });
  }

  async summary(name: string): Promise<TapSummary> {
    return summarizeTap(name, this.#entry(name).shape, await this.read(name));
  }

  async read(name: string, start = 0, count?: number): Promise<Float32Array> {
    const entry = this.#entry(name);
    const wanted = Math.max(Math.min(count ?? entry.count, entry.count - start), 0);
    const values = new Float32Array(wanted);
    const bytes = new Uint8Array(values.buffer);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.#file.read(
        bytes,
        done,
        bytes.length - done,
        entry.offset + 4 * start + done,
      );
      if (bytesRead === 0)
        throw new InputError(`${this.#path}: the file of a pass was changed; run the pass again`);
      done += bytesRead;
    }
    return values;
  }

  /** Can be called again. */
  async dispose(): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new InputError(`the trace has no tap "${name}"`);
    return entry;
  }
}
