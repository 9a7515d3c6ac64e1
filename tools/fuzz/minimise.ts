/**
 * Delta debugging on bytes: removes parts and simplifies bytes of an input as long as it still fails.
 *
 * Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.
 */
import { concat } from "./mutate-bytes.ts";

/**
 * @param fails whether an input has the same failure
 * @param deadline in milliseconds since the epoch; the smallest input until then is returned
 */
export async function minimise(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => Promise<boolean>,
  deadline: number,
): Promise<Uint8Array> {
  let smallest = input;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    if (Date.now() > deadline || !(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (let size = Math.ceil(smallest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && Date.now() <= deadline;) {
      const removed = await attempt(concat(smallest.subarray(0, at), smallest.subarray(at + size)));
      if (!removed) at += size;
    }
  }
  // Zeros are the simplest bytes: what is not zero then matters.
  for (let size = Math.ceil(smallest.length / 4); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && Date.now() <= deadline; at += size) {
      if (smallest.subarray(at, at + size).every((byte) => byte === 0)) continue;
      await attempt(smallest.slice().fill(0, at, at + size));
    }
  }
  return smallest;
}
