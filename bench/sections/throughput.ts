/** Many image files through the demo model: one by one, and with `embedImages`. */
import { copyFile, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clip } from "../../lib/clip/clip.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { readImages } from "../../lib/node/images/read-images.ts";
import { embedImages } from "../../lib/node/images/embed-images.ts";
import type { Context } from "../context.ts";
import { noiseJpegs } from "../noise-images.ts";
import { timed } from "../rounds.ts";
import { removeAtExit } from "../scratch.ts";
import type { Row, Table } from "../table.ts";

const images = 2000;
/**
 * Each round starts the decoding threads again; with few rounds the start-up time matters as little as in long runs.
 */
const rounds = 2;
/** The other images are copies of these. */
const differentImages = 50;

export async function measureThroughput({ options, programs, showStatus }: Context): Promise<Table[]> {
  showStatus("throughput: writing images");
  const paths = await writeImages();
  const rows: Row[] = [];
  for (const backend of options.backend) {
    // The model comes first because its size decides on how many threads the backend uses.
    const model = await loadModel(demoModel, { backend });
    const { name, description } = await startNodeBackend(backend);
    programs.set(`clipscope, ${name}`, description);
    await oneByOne(model, paths.slice(0, 50));
    await manyAtOnce(model, paths.slice(0, 50));
    let [single, many, memory] = [0, 0, [] as number[]];
    for (let round = 0; round < rounds; round++) {
      showStatus(`throughput on ${name}: ${(100 * round) / rounds} %`);
      const some = paths.slice((round * images) / rounds, ((round + 1) * images) / rounds);
      single += (await timed(() => oneByOne(model, some))).seconds;
      many += (await timed(() => manyAtOnce(model, some))).seconds;
      memory = [...memory, process.memoryUsage().rss / 1e6];
    }
    await model.dispose();
    rows.push({
      program: `clipscope, ${name}`,
      single: images / single,
      many: images / many,
      ratio: single / many,
      ...Object.fromEntries(memory.map((megabytes, round) => [`memory${round}`, Math.round(megabytes)])),
    });
  }
  return [
    {
      id: "throughput",
      title: `${images} JPEGs of 640 × 480 through the demo model, ${images / rounds} per round`,
      columns: [
        { key: "program", title: "program" },
        { key: "single", title: "one by one, images/s" },
        { key: "many", title: "embedImages, images/s" },
        { key: "ratio", title: "faster by ×" },
        ...Array.from({ length: rounds }, (_, round) => ({
          key: `memory${round}`,
          title: `MB after ${((round + 1) * images) / rounds}`,
        })),
      ],
      rows,
    },
  ];
}

/** A plain loop without batches. */
async function oneByOne(model: Clip, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const pixels = await readImages([path], model.preprocess);
    const embedding = await disposing(pixels, (one) => model.encodeImage(one));
    await disposing(embedding, (features) => features.data());
  }
}

async function manyAtOnce(model: Clip, paths: readonly string[]): Promise<void> {
  for await (const { features } of embedImages(model, paths)) {
    await disposing(features, (batch) => batch.data());
  }
}

async function writeImages(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  const originals: string[] = [];
  for (const [i, bytes] of (await noiseJpegs(differentImages)).entries()) {
    const path = join(folder, `${i}.jpg`);
    await writeFile(path, bytes);
    originals.push(path);
  }
  return Promise.all(
    Array.from({ length: images }, async (_, i) => {
      const original = originals[i % differentImages]!;
      if (i < differentImages) return original;
      const copy = join(folder, `${i}.jpg`);
      await copyFile(original, copy);
      return copy;
    }),
  );
}
