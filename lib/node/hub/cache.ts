/**
 * The cache of the Hugging Face Hub, which other programs share:
 *
 *     models--ORG--NAME/blobs/DIGEST                       a file's bytes
 *                      /snapshots/COMMIT/PATH → blobs/…    a commit's files, as links
 *                      /refs/REVISION                      the commit of a branch or tag
 *     datasets--ORG--NAME/…                               the same for a dataset
 *
 * Source: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { lstat, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { getHFHubCachePath, getRepoFolderName } from "@huggingface/hub";
import { pretrained, pretrainedOf, type Pretrained } from "../../clip/config/architectures/pretrained.ts";
import { InputError } from "../../errors/input-error.ts";
import { exists, isInside } from "../files/exists.ts";
import { withLock } from "../files/lock.ts";
import { makeFolder } from "../files/make-folder.ts";
import { syncFolder } from "../files/sync-folder.ts";
import { createAlone } from "../files/write-file.ts";

/** A repository at a revision: "laion/CLIP-ViT-B-32-laion2B-s34B-b79K@main". */
export interface HubName {
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** Old repositories have no owner: "xlm-roberta-large". */
const repositoryName = /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*$/;
const commitName = /^[0-9a-f]{40}$/;

/** Whether a name is valid for a repository of the hub. */
export function isRepositoryName(name: string): boolean {
  return repositoryName.test(name) && !name.includes("--") && !name.includes("..");
}

/**
 * Parses "REPOSITORY" or "REPOSITORY@REVISION", with or without the prefix "hf:".
 *
 * @throws InputError for other text
 */
export function parseHubName(text: string): HubName {
  const [repository = "", revision = "main", ...more] = text.replace(/^hf:/, "").split("@");
  if (!isRepositoryName(repository) || more.length > 0) {
    throw new InputError(
      `${text}: expected a repository such as ${pretrained[0]!.repository}, optionally with @REVISION`,
    );
  }
  assertRevision(revision);
  return { repository, revision };
}

/** @throws InputError if the revision cannot be a path in the cache */
export function assertRevision(revision: string): void {
  if (revision === "" || revision.startsWith(".") || !isInside(revision)) {
    throw new InputError(`"${revision}": expected a branch, a tag or a commit`);
  }
}

export function isCommit(revision: string): boolean {
  return commitName.test(revision);
}

/** What a repository holds. */
export type RepositoryType = "model" | "dataset";

/** A repository's folder in the cache. */
export class CachedRepository {
  readonly path: string;

  constructor(repository: string, cache: string = getHFHubCachePath(), type: RepositoryType = "model") {
    this.path = join(cache, getRepoFolderName({ type, name: repository }));
  }

  blob(digest: string): string {
    return join(this.path, "blobs", digest);
  }

  snapshot(commit: string): string {
    return join(this.path, "snapshots", commit);
  }

  /** The folder of a revision's files; null if it is not in the cache. */
  async find(revision: string): Promise<string | null> {
    const commit = isCommit(revision) ? revision : await this.#commitOf(revision);
    return commit !== null && (await exists(this.snapshot(commit))) ? this.snapshot(commit) : null;
  }

  /** Links a blob into a snapshot. A link that leads there already stays: another process may be reading through it. */
  async link(digest: string, commit: string, path: string): Promise<void> {
    const [blob, place] = [this.blob(digest), join(this.snapshot(commit), path)];
    await makeFolder(dirname(place));
    // Relative links, so that the cache can be moved.
    const target = relative(dirname(place), blob);
    try {
      for (;;) {
        const isLinked = await symlink(target, place).then(
          () => true,
          async (error: unknown) => {
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
            return (await readlink(place).catch(() => null)) === target;
          },
        );
        if (isLinked) break;
        await rm(place, { force: true });
      }
      await syncFolder(dirname(place));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
      // Windows restricts links. huggingface_hub moves the file in this case, too.
      await rename(blob, place);
    }
  }

  /** Stores the commit of a branch or tag. Writes only if it changed, because the cache may be read-only. */
  async setRevision(revision: string, commit: string, signal: AbortSignal): Promise<void> {
    if (revision === commit) return;
    // Not in `refs`, where other programs take every file for a revision.
    const lock = join(this.path, "clipscope.lock");
    const isStored = async (): Promise<boolean> => (await this.#commitOf(revision)) === commit;
    // The lock of a killed process is taken, and removed with that.
    if ((await isStored()) && !(await isThere(lock))) return;
    // Another process holds it for milliseconds.
    await withLock(lock, { onWait: () => undefined, signal }, async () => {
      if (!(await isStored())) await this.#writeRevision(join(this.path, "refs", revision), commit);
    });
  }

  async #writeRevision(place: string, commit: string): Promise<void> {
    const temporary = join(this.path, "clipscope.revision.tmp");
    await makeFolder(dirname(place));
    const file = await createAlone(temporary);
    try {
      await file.writeFile(commit);
      await file.sync();
      await file.close();
      await rename(temporary, place);
      await syncFolder(dirname(place));
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async #commitOf(revision: string): Promise<string | null> {
    const commit = await readFile(join(this.path, "refs", revision), "utf8").catch(() => "");
    return isCommit(commit.trim()) ? commit.trim() : null;
  }
}

/** Whether there is a file or a link, which may lead nowhere. */
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** A model in the cache. */
export interface CachedModel {
  readonly path: string;
  /** The repository's entry in open_clip's table. */
  readonly pretrained: Pretrained | undefined;
  /** The command that downloads missing files. */
  readonly pull: string;
}

/** @throws InputError if the model is not in the cache */
export async function findCachedModel(name: string): Promise<CachedModel> {
  const { repository, revision } = parseHubName(name);
  const pull = `clipscope pull ${repository}${revision === "main" ? "" : ` --revision ${revision}`}`;
  const path = await new CachedRepository(repository).find(revision);
  if (path === null) throw new InputError(`${name}: not in ${getHFHubCachePath()}; run "${pull}"`);
  return { path, pretrained: pretrainedOf(repository), pull };
}
