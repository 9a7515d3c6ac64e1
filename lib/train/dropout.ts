/**
 * Dropout: values at certain taps are set to 0 at random, and the others divided by the share that is kept.
 *
 * It is a patch of those taps, so that no layer knows of it. A mask depends on the seed, the number of the pass and the
 * tap alone: the backward pass, which computes blocks again, gets the same masks, and so does a run that resumes.
 * PyTorch's own masks on the CPU come from a generator of Intel's MKL and are not reproduced.
 *
 * Paper: Srivastava et al., "Dropout", 2014 (JMLR 15). Source: transformers, models/xlm_roberta (where it is applied).
 */
import { mul, tensor, type Tensor } from "@tensorflow/tfjs-core";
import { fnv1a, goldenRatio, mix } from "../tensor/hash.ts";
import { withTaps, type Patch } from "../tensor/taps.ts";

/** Taps and the share of their values that is dropped. */
export type DropoutShares = ReadonlyMap<string, number>;

/** 1 / (1 − share) for the values that are kept, else 0. */
export function dropoutMask(
  name: string,
  seed: number,
  pass: number,
  count: number,
  share: number,
): Float32Array {
  const key = mix(fnv1a(name) ^ mix((seed + mix(pass)) | 0));
  const threshold = Math.round(share * 2 ** 32);
  const kept = Math.fround(1 / Math.fround(1 - share));
  const mask = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    if (mix((Math.imul(i, goldenRatio) + key) | 0) >>> 0 >= threshold) mask[i] = kept;
  }
  return mask;
}

/** The number of a pass in the whole run, and the batches in which its texts run (`BackwardOptions.textsAtOnce`). */
export interface DropoutPass {
  readonly seed: number;
  readonly pass: number;
  readonly batches?: number;
}

/** Runs a pass, forwards and backwards, with dropout. */
export function withDropout<R>(
  shares: DropoutShares,
  { seed, pass, batches = 1 }: DropoutPass,
  run: () => R,
): R {
  const isOff = [...shares.values()].every((share) => share === 0);
  if (isOff) return run();
  // A tap occurs once in each batch, in the same order in both directions.
  const occurred = new Map<string, number>();
  const patch: Patch = (name, value): Tensor | null => {
    const share = shares.get(name) ?? 0;
    if (share === 0) return null;
    const batch = (occurred.get(name) ?? 0) % batches;
    occurred.set(name, batch + 1);
    const ofBatch = batch === 0 ? name : `${name}/${batch}`;
    return mul(value, tensor(dropoutMask(ofBatch, seed, pass, value.size, share), value.shape));
  };
  return withTaps(() => undefined, run, patch);
}
