/**
 * Writes pictures of a task that the demo model was not trained for, a folder for each class: no caption of its
 * training says how shapes are painted, or how they stand.
 *
 *   node dist/tools/demo-model/pictures.js --task fill|arrangement --out DIR [--count 50] [--seed 1] [--size 84x84]
 */
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Jimp } from "jimp";
import { pictureOf } from "./dataset.ts";
import { Random } from "./random.ts";
import { ARRANGEMENTS, FILLS, sampleScene } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** Scenes of a class; else they are as in training. */
const TASKS = {
  fill: FILLS.map((fill) => ({ name: fill, change: { fill, count: 1, size: "large" } as const })),
  arrangement: ARRANGEMENTS.map((arrangement) => ({
    name: arrangement,
    change: { arrangement, count: 4, position: "centre", size: "small" } as const,
  })),
};

export type PictureTask = keyof typeof TASKS;

export interface Pictures {
  readonly task: PictureTask;
  readonly out: string;
  /** Of each class. */
  readonly count: number;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
}

/** Writes `out`/CLASS/NNN.png; a seed gives the same pictures everywhere. */
export async function writePictures({ task, out, count, seed, width, height }: Pictures): Promise<void> {
  for (const [c, { name, change }] of TASKS[task].entries()) {
    mkdirSync(join(out, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const index = c * count + i;
      const scene: Scene = { ...sampleScene(new Random(seed, index), "train"), ...change };
      const { data } = pictureOf(scene, seed, index, width, height);
      const picture = new Jimp({ data: Buffer.from(data), width, height });
      await picture.write(join(out, name, `${`${i}`.padStart(3, "0")}.png`) as `${string}.png`);
    }
  }
}

function isTask(name: string | undefined): name is PictureTask {
  return name !== undefined && Object.hasOwn(TASKS, name);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      task: { type: "string" },
      out: { type: "string" },
      count: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
      size: { type: "string", default: "84x84" },
    },
  });
  const { task, out } = values;
  const [width, height] = values.size.split("x").map(Number);
  if (!isTask(task) || out === undefined || width === undefined || height === undefined) {
    throw new Error(`pictures: expected --task ${Object.keys(TASKS).join(" or ")}, and --out DIR`);
  }
  await writePictures({ task, out, count: Number(values.count), seed: Number(values.seed), width, height });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main();
}
