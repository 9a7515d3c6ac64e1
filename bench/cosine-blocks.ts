/**
 * Times the similarities of captions and images: blocks on the current backend against loops over typed arrays.
 *
 *     node dist/bench/cosine-blocks.js [images] [captions] [width]
 */
import { cosineBlocks } from "../lib/eval/metrics/cosine-blocks.ts";
import { retrievalRanks } from "../lib/eval/metrics/retrieval.ts";
import type { Rows } from "../lib/features/features.ts";
import { startNodeBackend } from "../lib/node/backends/backends.ts";

const [images = 5000, captions = 25010, width = 1024] = process.argv.slice(2).map(Number);

function random(rows: number): Rows {
  return { values: Float32Array.from({ length: rows * width }, () => Math.random() - 0.5), rows, width };
}

function loops(rows: Rows, columns: Rows): number {
  let largest = -Infinity;
  for (let row = 0; row < rows.rows; row++) {
    const a = rows.values.subarray(row * width, (row + 1) * width);
    for (let column = 0; column < columns.rows; column++) {
      const from = column * width;
      let [even, odd] = [0, 0];
      for (let i = 0; i < width; i += 2) {
        even += a[i]! * columns.values[from + i]!;
        odd += a[i + 1]! * columns.values[from + i + 1]!;
      }
      largest = Math.max(largest, even + odd);
    }
  }
  return largest;
}

async function time(what: string, products: number, run: () => Promise<unknown>): Promise<void> {
  const before = performance.now();
  await run();
  const seconds = (performance.now() - before) / 1000;
  const rate = (2 * products * width) / seconds / 1e9;
  console.log(`${what}: ${seconds.toFixed(1)} s, ${rate.toFixed(1)} GFLOP/s`);
}

const { description } = await startNodeBackend();
console.log(`${images} images, ${captions} captions, width ${width}; backend: ${description}`);
const [left, right] = [random(images), random(captions)];
const few = { ...right, values: right.values.subarray(0, 400 * width), rows: Math.min(400, captions) };
await time("typed arrays, 400 captions", few.rows * images, () => Promise.resolve(loops(few, left)));
await time("blocks", captions * images, async () => {
  let last = 0;
  for await (const { end } of cosineBlocks(right, left)) last = end;
  return last;
});
await time("retrievalRanks, two passes", 2 * captions * images, () =>
  retrievalRanks(
    left,
    right,
    Int32Array.from({ length: captions }, (_, i) => i % images),
  ),
);
console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
