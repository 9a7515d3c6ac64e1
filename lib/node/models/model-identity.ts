/** Which model made something: a name for people, a fingerprint for comparing. */
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import type { Clip } from "../../clip/clip.ts";

export interface ModelIdentity {
  /** The model directory's name, or the repository's. */
  readonly name: string;
  /** Of one tower: its configuration and weights. */
  readonly sha256: string;
}

export type Tower = "image" | "text";

/** Tensors up to this many bytes are read whole: all norms, biases and small matrices. */
const wholeBytes = 2 ** 18;
/** Of larger ones these parts are read: so many bytes, at least so many times, at least once in so many bytes. */
const partBytes = 2 ** 12;
const fewestParts = 64;
const mostApart = 2 ** 20;

/**
 * Identifies a tower: its sizes, and of every tensor the name, shape, dtype and bytes: all, or of large ones parts that
 * are spread evenly from the first to the last byte.
 *
 * Whatever moves most numbers of any tensor (training does) is seen, and so is a changed norm or bias. What it can miss
 * is a change to a few rows of a large matrix alone, such as the word embeddings of single tokens. The name is the
 * directory's; the fingerprint does not depend on where the directory stands or how it is sharded.
 */
export async function modelIdentity(
  model: Pick<Clip, "config" | "weights">,
  tower: Tower,
): Promise<ModelIdentity> {
  const { store } = model.weights;
  const { vision, text, embedDim, quickGelu } = model.config;
  const hash = createHash("sha256");
  const { imageSize, patchSize, width, layers, heads, mlpWidth } = vision;
  const sizes = { imageSize, patchSize, width, layers, heads, mlpWidth };
  hash.update(JSON.stringify([tower === "image" ? sizes : text, embedDim, quickGelu]));
  const isVisual = (name: string): boolean => name.startsWith("visual.");
  const names = [...store.tensors.keys()].filter((name) => isVisual(name) === (tower === "image"));
  for (const name of names.sort()) {
    const { dtype, shape, size } = store.tensors.get(name)!;
    hash.update(JSON.stringify([name, dtype, shape]));
    for (const { start, length } of partsOf(size)) hash.update(await store.read(name, start, length));
  }
  return { name: nameOf(dirname(resolve(store.name))), sha256: hash.digest("hex") };
}

/** The folder's name; in the hub's cache, where that is a commit, the repository's. */
function nameOf(folder: string): string {
  const [, repository] = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/.exec(folder) ?? [];
  return repository?.replace("--", "/") ?? basename(folder);
}

function partsOf(size: number): { readonly start: number; readonly length: number }[] {
  if (size <= wholeBytes) return [{ start: 0, length: size }];
  const count = Math.max(fewestParts, Math.ceil(size / mostApart));
  return Array.from({ length: count }, (_, i) => {
    // A whole number of the widest numbers, 8 bytes.
    const start = 8 * Math.floor(((size - partBytes) * i) / (count - 1) / 8);
    return { start, length: i === count - 1 ? size - start : partBytes };
  });
}
