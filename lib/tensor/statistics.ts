/** What the numbers of a stored tensor are like, read piece by piece. */
import { bytesPerElement, toNumbers } from "./dtype.ts";
import { tensorInfo, type TensorStore } from "./safetensors.ts";

export interface TensorStatistics {
  /** Of the finite numbers; null where there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Of the whole tensor, not an estimate from a sample: divided by the count. */
  readonly std: number | null;
  readonly nan: number;
  readonly infinite: number;
}

/** Elements in memory at once. */
const chunkElements = 1024 * 1024;

/** The statistics of a tensor; null for formats that are no plain numbers (complex, 8-bit floats). */
export async function tensorStatistics(store: TensorStore, name: string): Promise<TensorStatistics | null> {
  const { dtype, size } = tensorInfo(store, name);
  let [min, max, nan, infinite, count] = [Infinity, -Infinity, 0, 0, 0];
  // Sums of differences from the first number, which keeps digits where all are far from zero.
  let [shift, sum, squares] = [NaN, 0, 0];
  const chunk = chunkElements * bytesPerElement[dtype];
  for (let at = 0; at < size; at += chunk) {
    const numbers = toNumbers(dtype, await store.read(name, at, Math.min(chunk, size - at)));
    if (numbers === null) return null;
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i]!;
      if (x - x !== 0) {
        if (Number.isNaN(x)) nan++;
        else infinite++;
        continue;
      }
      if (count === 0) shift = x;
      if (x < min) min = x;
      if (x > max) max = x;
      const difference = x - shift;
      sum += difference;
      squares += difference * difference;
      count++;
    }
  }
  if (count === 0) return { min: null, max: null, mean: null, std: null, nan, infinite };
  const mean = sum / count;
  const std = Math.sqrt(Math.max(0, squares / count - mean * mean));
  return { min, max, mean: shift + mean, std, nan, infinite };
}
