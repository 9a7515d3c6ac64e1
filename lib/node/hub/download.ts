/** One file of the hub into the cache: it goes on where an earlier attempt stopped, and is checked before it counts. */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { InputError } from "../../errors/input-error.ts";
import { diskFull } from "../files/disk-space.ts";
import { unreadable } from "../files/file-source.ts";
import { withLock } from "../files/lock.ts";
import { exists } from "../models/model-directory.ts";
import { writeAll } from "../files/write-file.ts";
import type { HubClient } from "./client.ts";
import { PassingFailure, persist } from "./patience.ts";

export interface RemoteFile {
  readonly repository: string;
  /** In the repository. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of a large file's bytes; of a small one git's name for it, SHA-1 of a header and its bytes. */
  readonly digest: string;
  /** Where it is served. */
  readonly url: string;
}

/** Bytes of a file that an earlier attempt left. */
export async function bytesThere(blob: string): Promise<number> {
  return stat(partialOf(blob)).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Not the name of Python's own unfinished files: it must never go on with ours, nor we with its. */
function partialOf(blob: string): string {
  return `${blob}.clipscope.incomplete`;
}

/**
 * Downloads a file to its place among the blobs, unless another process does it meanwhile.
 *
 * Whatever ends it before, the part that is there stays for the next attempt. Every byte is written to its own position,
 * and the whole is read again before it gets its name: two processes that write the same file do no harm.
 *
 * @param onBytes called with the number of bytes that are new since the last call; negative if a server begins anew
 * @throws InputError if the hub does not give it, the bytes are not those it names, or the disk is full
 */
export async function downloadBlob(
  client: HubClient,
  file: RemoteFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const partial = partialOf(blob);
  const { onWait, signal } = client.options;
  await mkdir(dirname(blob), { recursive: true });
  const waiting = (): void => {
    onWait(`another process downloads ${file.path}; waiting for it`);
  };
  try {
    await withLock(`${partial}.lock`, { onWait: waiting, signal }, async () => {
      if (await exists(blob)) return;
      await fill(client, file, partial, onBytes);
      await assertDigest(file, partial, signal);
      await rename(partial, blob);
    });
  } catch (error) {
    throw diskFull(partial, error) ?? error;
  }
}

/** Downloads what is missing. */
async function fill(
  client: HubClient,
  file: RemoteFile,
  partial: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const { patience, onWait, signal } = client.options;
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT).catch((error: unknown) => {
    throw unreadable(partial, error);
  });
  try {
    let { size: done } = await handle.stat();
    // What is too long is not this file: begin anew.
    if (done > file.size) await handle.truncate((done = 0));
    let before = done;
    const attempt = async (): Promise<void> => {
      before = done;
      if (done === file.size) return;
      for await (const { chunk, at } of received(client, file, done)) {
        if (at + chunk.length > file.size)
          throw new InputError(`${file.path}: larger than the hub said; try again`);
        onBytes(at + chunk.length - done);
        await writeAll(handle, chunk, at);
        done = at + chunk.length;
      }
      if (done < file.size)
        throw new PassingFailure(`${file.path}: cut off at ${done} of ${file.size} bytes`, {});
    };
    await persist(attempt, patience, { hasProgressed: () => done > before, onWait, signal });
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's bytes from an offset on; from the beginning, if the server does not know of ranges. */
async function* received(
  client: HubClient,
  { repository, url }: RemoteFile,
  offset: number,
): AsyncGenerator<{ readonly chunk: Uint8Array; readonly at: number }, void, undefined> {
  const { patience, signal } = client.options;
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new Error(`no byte for ${patience.silence / 1000} s`));
  }, patience.silence);
  try {
    const response = await client.get(repository, url, {
      // Compressed, a file would have other offsets.
      headers: { "accept-encoding": "identity", ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
      signal: AbortSignal.any([signal, silence.signal]),
    });
    let at = response.status === 206 ? offset : 0;
    for await (const chunk of client.body(response)) {
      timer.refresh();
      yield { chunk, at };
      at += chunk.length;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** @throws InputError if a file is not what the hub says it is; then it is gone */
async function assertDigest(
  { path, size, digest }: RemoteFile,
  partial: string,
  signal: AbortSignal,
): Promise<void> {
  const isSha256 = digest.length === 64;
  const hash = createHash(isSha256 ? "sha256" : "sha1");
  if (!isSha256) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(partial, { highWaterMark: 2 ** 20 }), hash, { signal });
  const found = hash.digest("hex");
  if (found === digest) return;
  await rm(partial);
  throw new InputError(
    `${path}: expected ${isSha256 ? "SHA-256" : "git's SHA-1"} ${digest}, found ${found}; what came is deleted: run the command again`,
  );
}
