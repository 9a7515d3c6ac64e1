/**
 * k-means++: each next centre is a row that is drawn with a probability in proportion to its squared distance from the
 * centres so far.
 *
 * Paper: Arthur and Vassilvitskii, k-means++, The Advantages of Careful Seeding, SODA 2007.
 */
import { TorchRandom } from "../../tensor/torch-random.ts";
import { paddedWidth, rowsPerBlock, type ScanKernel } from "../scan/kernel.ts";
import { quantiseQuery, quantiseRow } from "../scan/quantise.ts";

/**
 * Draws rows.
 *
 * @param values [rows, width], of norm 1
 * @param count at most the number of rows
 * @returns their numbers, in the order in which they were drawn. Fewer if the others are copies of these
 */
export function seedCentroids(
  kernel: ScanKernel,
  values: Float32Array,
  width: number,
  count: number,
  seed: number,
): number[] {
  const rows = values.length / width;
  const padded = paddedWidth(width);
  const memory = kernel.allocate(rows, padded);
  const scales = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const codes = memory.codes.subarray(row * padded, row * padded + width);
    scales[row] = quantiseRow(values.subarray(row * width, (row + 1) * width), codes)!.scale;
  }
  const random = new TorchRandom(seed);
  const distances = new Float64Array(rows).fill(Infinity);
  const chosen = [Math.floor((random.uint32() / 2 ** 32) * rows)];
  for (;;) {
    const last = chosen.at(-1)!;
    const { codes, scale } = quantiseQuery(values.subarray(last * width, (last + 1) * width), padded);
    memory.setQueries(codes);
    for (let i = 0; i < rowsPerBlock; i++) memory.list[i] = i;
    let total = 0;
    for (let block = 0; block < rows; block += rowsPerBlock) {
      const most = Math.min(rowsPerBlock, rows - block);
      const dots = memory.dots(0, block, most);
      for (let i = 0; i < most; i++) {
        const distance = Math.max(0, 2 - 2 * dots[i]! * scales[block + i]! * scale);
        if (distance < distances[block + i]!) distances[block + i] = distance;
        total += distances[block + i]!;
      }
    }
    // Codes round; the distance of a centre from itself would not be 0.
    for (const row of chosen) {
      total -= distances[row]!;
      distances[row] = 0;
    }
    if (chosen.length === count || !(total > 0)) return chosen;
    chosen.push(drawn(distances, total * (random.uint32() / 2 ** 32)));
  }
}

/** The row in which the running sum of the distances exceeds a number below their total. */
function drawn(distances: Float64Array, at: number): number {
  let [sum, last] = [0, 0];
  for (let row = 0; row < distances.length; row++) {
    if (distances[row] === 0) continue;
    sum += distances[row]!;
    last = row;
    if (sum > at) return row;
  }
  return last;
}
