/**
 * k-means++: each next centre is a row that is drawn with a probability in proportion to its squared distance from the
 * centres so far.
 *
 * Paper: Arthur and Vassilvitskii, k-means++, The Advantages of Careful Seeding, SODA 2007.
 */
import { TorchRandom } from "../../tensor/torch-random.ts";
import { paddedWidth, rowsPerBlock, type ScanKernel } from "../scan/kernel.ts";
import { quantiseRow } from "../scan/quantise.ts";

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
  // Distances are those of the rounded rows: of copies they are 0.
  const [scales, squares] = [new Float64Array(rows), new Float64Array(rows)];
  for (let row = 0; row < rows; row++) {
    const codes = memory.codes.subarray(row * padded, row * padded + width);
    const { scale } = quantiseRow(values.subarray(row * width, (row + 1) * width), codes)!;
    scales[row] = scale;
    squares[row] = scale * scale * codes.reduce((sum, code) => sum + code * code, 0);
  }
  const random = new TorchRandom(seed);
  const distances = new Float64Array(rows).fill(Infinity);
  const chosen = [Math.floor((random.uint32() / 2 ** 32) * rows)];
  for (;;) {
    const last = chosen.at(-1)!;
    memory.setQueries(Int16Array.from(memory.codes.subarray(last * padded, (last + 1) * padded)));
    for (let i = 0; i < rowsPerBlock; i++) memory.list[i] = i;
    let total = 0;
    for (let block = 0; block < rows; block += rowsPerBlock) {
      const most = Math.min(rowsPerBlock, rows - block);
      const dots = memory.dots(0, block, most);
      for (let i = 0; i < most; i++) {
        const row = block + i;
        const product = dots[i]! * scales[row]! * scales[last]!;
        const distance = Math.max(0, squares[row]! + squares[last]! - 2 * product);
        if (distance < distances[row]!) distances[row] = distance;
        total += distances[row]!;
      }
    }
    // Whatever rounding left of its distance from itself.
    total -= distances[last]!;
    distances[last] = 0;
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
