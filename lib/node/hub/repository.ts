/** A repository at one commit, and the download of its files to the cache. */
import { join } from "node:path";
import { datasetInfo, listFiles, modelInfo } from "@huggingface/hub";
import { InputError } from "../../errors/input-error.ts";
import type { JsonValue } from "../../json/json-value.ts";
import { assertSpace } from "../files/disk-space.ts";
import { exists, isInside } from "../files/exists.ts";
import { makeFolder } from "../files/make-folder.ts";
import { CachedRepository, isCommit, type RepositoryType } from "./cache.ts";
import type { HubClient } from "./client.ts";
import { downloadBlob, downloadedBytes, type RemoteFile } from "./download.ts";

/** A file of a pulled repository. */
export interface PulledFile {
  /** A dataset's starts with `datasets/`. */
  readonly repository: string;
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256, or git's SHA-1 for a small file. */
  readonly digest: string;
  /** Bytes that this run downloaded. */
  readonly downloaded: number;
  /** The path in the cache. */
  readonly location: string;
}

/** A repository at one commit. */
export interface Listing {
  /** As in addresses: a dataset's starts with `datasets/`. */
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, RemoteFile>;
  readonly cached: CachedRepository;
}

/** A file and its repository. */
export interface Wanted {
  readonly listing: Listing;
  readonly file: RemoteFile;
}

/** Lists the files of a repository at a revision. */
export async function listRepository(
  client: HubClient,
  name: string,
  revision: string,
  type: RepositoryType = "model",
): Promise<Listing> {
  const { endpoint: hubUrl, cache } = client.options;
  const repository = type === "dataset" ? `datasets/${name}` : name;
  const asked = {
    hubUrl,
    fetch: client.apiFetch(repository, (answer) => void answer.object()),
    name,
    revision,
  };
  const { sha: commit } =
    type === "dataset"
      ? await datasetInfo({ ...asked, additionalFields: ["sha"] })
      : await modelInfo({ ...asked, additionalFields: ["sha"] });
  if (!isCommit(commit)) throw unexpected(hubUrl, `a commit, found ${JSON.stringify(commit)}`);
  const files = new Map<string, RemoteFile>();
  for await (const entry of listFiles({
    hubUrl,
    fetch: client.apiFetch(repository, checkListing),
    repo: { type, name },
    revision: commit,
    recursive: true,
  })) {
    if (entry.type !== "file") continue;
    const { path, size, oid, lfs } = entry;
    const digest = lfs?.oid ?? oid ?? "";
    // Paths and digests become paths on this machine.
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digest)) throw unexpected(hubUrl, `a digest of ${path}`);
    // Neither a URL nor a file can have half a character or a zero byte in its name.
    if (!isInside(path) || /[\0\p{Surrogate}]/u.test(path)) {
      throw unexpected(hubUrl, `a path inside the repository, found ${JSON.stringify(path)}`);
    }
    const url = `${hubUrl}/${repository}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
    files.set(path, { repository, path, size: lfs?.size ?? size, digest, url });
  }
  return { repository, revision, commit, files, cached: new CachedRepository(name, cache, type) };
}

/**
 * Downloads files to the cache, resuming and verifying each.
 *
 * @param onProgress called with the bytes that are downloaded, those downloaded before this run, and the total
 */
export async function fetchFiles(
  client: HubClient,
  files: readonly Wanted[],
  onProgress?: (done: number, before: number, total: number) => void,
): Promise<PulledFile[]> {
  const { cache, signal } = client.options;
  await makeFolder(cache);
  const missing = await Promise.all(files.map(bytesMissing));
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  await assertSpace(cache, sum(missing));
  const total = sum(files.map(({ file }) => file.size));
  const before = total - sum(missing);
  const pulled: PulledFile[] = [];
  let done = before;
  for (const [i, { listing, file }] of files.entries()) {
    const { cached, commit } = listing;
    const location = join(cached.snapshot(commit), file.path);
    signal.throwIfAborted();
    if (missing[i]! > 0 || !(await exists(location))) {
      await downloadBlob(client, file, cached.blob(file.digest), (count) => {
        done += count;
        onProgress?.(done, before, total);
      });
      await cached.link(file.digest, commit, file.path);
    }
    const { repository, path, size, digest } = file;
    pulled.push({ repository, path, size, digest, downloaded: missing[i]!, location });
  }
  return pulled;
}

/** @param source what names the file, for the error */
export function wanted(listing: Listing, path: string, source: string): Wanted {
  const file = listing.files.get(path);
  if (file !== undefined) return { listing, file };
  throw new InputError(`${listing.repository}: expected the file ${path}, which ${source} lists`);
}

/** @throws InputError if an entry of a page of files lacks what is read of it */
function checkListing(page: JsonValue): void {
  for (const entry of page.items()) {
    if (entry.at("type").string() !== "file") continue;
    entry.at("path").string();
    assertSize(entry.at("size"));
    entry.at("oid").or("").string();
    const lfs = entry.at("lfs");
    if (lfs.isMissing) continue;
    lfs.at("oid").string();
    assertSize(lfs.at("size"));
  }
}

/** Beyond 2^53 as well: the check of the free space refuses it. */
function assertSize(size: JsonValue): void {
  if (size.number() < 0) throw size.error("a size in bytes");
}

async function bytesMissing({ listing: { cached, commit }, file }: Wanted): Promise<number> {
  const blob = cached.blob(file.digest);
  if ((await exists(blob)) || (await exists(join(cached.snapshot(commit), file.path)))) return 0;
  return file.size - Math.min(file.size, await downloadedBytes(blob));
}

function unexpected(endpoint: string, what: string): InputError {
  return new InputError(`${endpoint}: expected ${what}; check that HF_ENDPOINT is a hub`);
}
