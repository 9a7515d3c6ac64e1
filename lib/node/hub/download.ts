/** Downloads one file of the hub to the cache. Resumes earlier downloads, and verifies the digest. */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { InputError } from "../../errors/input-error.ts";
import { makeFolder } from "../files/make-folder.ts";
import { withLock } from "../files/lock.ts";
import { explainWriting } from "../files/output-path.ts";
import { syncFolder } from "../files/sync-folder.ts";
import { exists } from "../files/exists.ts";
import { writeAll } from "../files/write-file.ts";
import type { HubClient } from "./client.ts";
import { retry, TransientError } from "./retry.ts";

export interface RemoteFile {
  readonly repository: string;
  /** In the repository. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the bytes for a large file. For a small file, git's blob name: SHA-1 of a header and the bytes. */
  readonly digest: string;
  /** The URL of its bytes. */
  readonly url: string;
}

/** The number of bytes that earlier attempts downloaded. */
export async function downloadedBytes(blob: string): Promise<number> {
  return stat(partialOf(blob)).then(
    ({ size }) => size,
    () => 0,
  );
}

/** Differs from the name of Python's partial files, so that neither program resumes the other's download. */
function partialOf(blob: string): string {
  return `${blob}.clipscope.incomplete`;
}

/**
 * Downloads a file to its blob. If another process downloads it, waits for that process instead.
 *
 * The partial file stays after a failure, and the next attempt resumes it. Bytes are written to their own positions, and
 * the whole file is read and verified before it gets its final name, so two processes may write the same file.
 *
 * @param onBytes called with the number of bytes since the last call; negative if the server restarts from the beginning
 * @throws InputError if the hub refuses the file, its digest differs, or the disk is full
 */
export async function downloadBlob(
  client: HubClient,
  file: RemoteFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const partial = partialOf(blob);
  const { onWait, signal } = client.options;
  await makeFolder(dirname(blob));
  const waiting = (): void => {
    onWait(`another process is downloading ${file.path}; waiting for it`);
  };
  try {
    await withLock(`${partial}.lock`, { onWait: waiting, signal }, async () => {
      if (await exists(blob)) return;
      const isResumed = (await downloadedBytes(blob)) > 0;
      await fill(client, file, partial, onBytes);
      let found = await digestOf(file, partial, signal);
      if (isResumed && found !== file.digest) {
        // A power failure may have damaged what an earlier run downloaded.
        onBytes(-file.size);
        await rm(partial);
        await fill(client, file, partial, onBytes);
        found = await digestOf(file, partial, signal);
      }
      await assertDigest(file, partial, found);
      await rename(partial, blob);
      await syncFolder(dirname(blob));
    });
  } catch (error) {
    throw explainWriting(partial, error);
  }
}

/** Downloads what is missing. */
async function fill(
  client: HubClient,
  file: RemoteFile,
  partial: string,
  onBytes: (count: number) => void,
): Promise<void> {
  const { retryPolicy, onWait, signal } = client.options;
  const handle = await open(partial, constants.O_RDWR | constants.O_CREAT);
  try {
    let { size: done } = await handle.stat();
    // A longer file has other content, so start again.
    if (done > file.size) await handle.truncate((done = 0));
    let before = done;
    const attempt = async (): Promise<void> => {
      before = done;
      if (done === file.size) return;
      for await (const { chunk, at } of received(client, file, done)) {
        if (at + chunk.length > file.size)
          throw new InputError(`${file.path}: larger than the hub states; run the command again`);
        onBytes(at + chunk.length - done);
        await writeAll(handle, chunk, at);
        done = at + chunk.length;
      }
      if (done < file.size)
        throw new TransientError(`${file.path}: ended after ${done} of ${file.size} bytes`);
    };
    await retry(attempt, retryPolicy, { hasProgressed: () => done > before, onWait, signal });
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's bytes from an offset on; from the beginning if the server ignores ranges. */
async function* received(
  client: HubClient,
  { repository, url }: RemoteFile,
  offset: number,
): AsyncGenerator<{ readonly chunk: Uint8Array; readonly at: number }, void, undefined> {
  const response = await client.get(repository, url, {
    // Offsets are those of the uncompressed file.
    headers: { "accept-encoding": "identity", ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
  });
  let at = response.status === 206 ? offset : 0;
  for await (const chunk of client.body(response)) {
    yield { chunk, at };
    at += chunk.length;
  }
}

/** The digest of what was downloaded, as the hub computes it. */
async function digestOf({ size, digest }: RemoteFile, partial: string, signal: AbortSignal): Promise<string> {
  const hash = createHash(isSha256(digest) ? "sha256" : "sha1");
  if (!isSha256(digest)) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(partial, { highWaterMark: 2 ** 20 }), hash, { signal });
  return hash.digest("hex");
}

function isSha256(digest: string): boolean {
  return digest.length === 64;
}

/** @throws InputError if the file does not have the digest that the hub states; the file is deleted */
async function assertDigest({ path, digest }: RemoteFile, partial: string, found: string): Promise<void> {
  if (found === digest) return;
  await rm(partial);
  throw new InputError(
    `${path}: expected ${isSha256(digest) ? "SHA-256" : "git's SHA-1"} ${digest}, found ${found}; the file was deleted, run the command again`,
  );
}
