/** A fingerprint of a model's tower, to tell models apart. */
import type { Clip } from "../clip/clip.ts";
import { sha256 } from "./digest.ts";

export type Tower = "image" | "text";

/** Tensors up to this many bytes are read whole: all norms, biases and small matrices. */
const wholeBytes = 2 ** 18;
/** Larger tensors are sampled: parts of `partBytes`, at least `fewestParts`, at most `mostApart` bytes apart. */
const partBytes = 2 ** 12;
const fewestParts = 64;
const mostApart = 2 ** 20;

/**
 * The SHA-256 of a tower: its sizes, and the name, shape, dtype and bytes of every tensor. Of large tensors only parts
 * are read, evenly spaced from the first to the last byte: 37 MB for ViT-H/14, 31 MB for XLM-RoBERTa-large.
 *
 * It changes with training, which moves most numbers of any tensor, and with any norm or bias. It can miss a change to
 * a few rows of a large matrix, such as the word embeddings of single tokens. It does not depend on where the model
 * directory is, or how its weights are sharded.
 */
export async function modelDigest(model: Pick<Clip, "config" | "weights">, tower: Tower): Promise<string> {
  const { store } = model.weights;
  const { vision, text, embedDim, quickGelu } = model.config;
  const encoder = new TextEncoder();
  const { imageSize, patchSize, width, layers, heads, mlpWidth } = vision;
  const sizes = { imageSize, patchSize, width, layers, heads, mlpWidth };
  const config = encoder.encode(JSON.stringify([tower === "image" ? sizes : text, embedDim, quickGelu]));
  const isVisual = (name: string): boolean => name.startsWith("visual.");
  const tensors = [...store.tensors.keys()]
    .filter((name) => isVisual(name) === (tower === "image"))
    .sort()
    .map((name) => {
      const { dtype, shape, size } = store.tensors.get(name)!;
      return { name, head: encoder.encode(JSON.stringify([name, dtype, shape])), parts: partsOf(size) };
    });

  const lengths = tensors.map(({ head, parts }) =>
    parts.reduce((sum, part) => sum + part.length, head.length),
  );
  const all = new Uint8Array(lengths.reduce((sum, length) => sum + length, config.length));
  let end = 0;
  const append = (bytes: Uint8Array): void => {
    all.set(bytes, end);
    end += bytes.length;
  };
  append(config);
  for (const { name, head, parts } of tensors) {
    append(head);
    for (const { start, length } of parts) append(await store.read(name, start, length));
  }
  return sha256(all);
}

function partsOf(size: number): { readonly start: number; readonly length: number }[] {
  if (size <= wholeBytes) return [{ start: 0, length: size }];
  const count = Math.max(fewestParts, Math.ceil(size / mostApart));
  return Array.from({ length: count }, (_, i) => {
    // A multiple of 8 bytes, the size of the widest dtype.
    const start = 8 * Math.floor(((size - partBytes) * i) / (count - 1) / 8);
    return { start, length: i === count - 1 ? size - start : partBytes };
  });
}
