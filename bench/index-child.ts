/**
 * Child process of `sections/index-build.ts`: builds an index of shards, a partition each, and prints a line of JSON for
 * each partition. Between the partitions it measures the image tower alone, if asked.
 *
 *     node index-child.js MODEL BACKEND INDEX PASSES SHARD…
 */
import { randomNormal, type Rank } from "@tensorflow/tfjs-core";
import { startNodeBackend } from "../lib/node/backends/backends.ts";
import { loadModel } from "../lib/node/models/load-model.ts";
import { buildIndex } from "../lib/node/retrieval/build-index.ts";
import { planIndex } from "../lib/node/retrieval/plan-index.ts";
import { mixedBackends } from "../lib/retrieval/plan-file.ts";
import type { Task } from "../lib/retrieval/task.ts";
import { defaultBatchSize } from "../lib/tasks/embed-images.ts";
import { parseBackendChoice } from "../lib/tensor/backend.ts";
import { disposing } from "../lib/tensor/disposing.ts";
import { timed } from "./rounds.ts";

export interface BuiltPartition {
  readonly backend: string;
  readonly rows: number;
  /** From the first image to the last file. */
  readonly seconds: number;
  /** Images per second of the image tower alone, measured just before; null if not measured. */
  readonly tower: number | null;
  /** Bytes of the process afterwards, and its peak so far. */
  readonly memory: number;
  readonly peak: number;
}

const [directory, choice, folder, passes, ...shards] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  ...string[],
];
const backend = parseBackendChoice(choice, "backend");
const model = await loadModel(directory, { backend });
const { name } = await startNodeBackend(backend);

/** Images per second. */
async function tower(count: number): Promise<number> {
  const [height, width] = model.config.vision.imageSize;
  const pixels = randomNormal<Rank.R4>([defaultBatchSize, 3, height, width]);
  const { seconds } = await timed(async () => {
    for (let i = 0; i < count; i++) await disposing(await model.encodeImage(pixels), (rows) => rows.data());
  });
  pixels.dispose();
  return (count * defaultBatchSize) / seconds;
}

const fail = (message: string): never => {
  throw new Error(message);
};
await planIndex(folder, shards, model, {
  // Shards are not divided.
  partitionRows: 1,
  captions: false,
  batch: defaultBatchSize,
  backend: mixedBackends,
  onError: ({ message }) => fail(message),
});
/** @param alone the rate of the tower */
async function build(alone: number | null, task?: Task): Promise<void> {
  await buildIndex(folder, {
    ...(task !== undefined && { task }),
    loadModel: () => Promise.resolve(model),
    onFailed: fail,
    onPartition: ({ rows, seconds }) => {
      const [memory, peak] = [process.memoryUsage().rss, 1024 * process.resourceUsage().maxRSS];
      const built: BuiltPartition = { backend: name, rows, seconds, tower: alone, memory, peak };
      console.log(JSON.stringify(built));
    },
  });
}

if (passes === "0") await build(null);
else
  for (const index of shards.keys()) await build(await tower(Number(passes)), { index, of: shards.length });
await model.dispose();
