/** Which model made something: a name for people, a fingerprint for comparing. */
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import type { Clip } from "../clip/clip.ts";

export interface ModelIdentity {
  /** The model directory's name, or the repository's. */
  readonly name: string;
  /** Of one tower: its configuration and weights. */
  readonly sha256: string;
}

export type Tower = "image" | "text";

/** Training moves every number of the tensors that it trains: the beginning of each tells models apart. */
const bytesPerTensor = 2 ** 18;

/**
 * Identifies a tower: its sizes, and of every tensor the name, shape, dtype and first 256 KiB.
 *
 * The name is the directory's; the fingerprint does not depend on where the directory stands or how it is sharded.
 */
export async function modelIdentity(model: Clip, tower: Tower): Promise<ModelIdentity> {
  const { store } = model.weights;
  const { vision, text, embedDim, quickGelu } = model.config;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([tower === "image" ? vision : text, embedDim, quickGelu]));
  const isVisual = (name: string): boolean => name.startsWith("visual.");
  const names = [...store.tensors.keys()].filter((name) => isVisual(name) === (tower === "image"));
  for (const name of names.sort()) {
    const { dtype, shape, size } = store.tensors.get(name)!;
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(await store.read(name, 0, Math.min(size, bytesPerTensor)));
  }
  return { name: nameOf(dirname(resolve(store.name))), sha256: hash.digest("hex") };
}

/** The folder's name; in the hub's cache, where that is a commit, the repository's. */
function nameOf(folder: string): string {
  const [, repository] = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/.exec(folder) ?? [];
  return repository?.replace("--", "/") ?? basename(folder);
}
