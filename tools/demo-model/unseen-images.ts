/**
 * Writes images of a task that the demo model was not trained for, one folder per class: the captions of its training
 * data do not describe how shapes are filled or arranged.
 *
 *   node dist/tools/demo-model/unseen-images.js --task fill|arrangement --out DIR [--count 50] [--seed 1] [--size 84x84] [--pairs FILE]
 *
 * `--pairs` also writes a table of the images and their captions, "a photo of a CLASS.", for `clipscope train`.
 */
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Jimp } from "jimp";
import { imageOf } from "./dataset.ts";
import { Random } from "./random.ts";
import { arrangements, fills, sampleScene } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** The attributes of each class. All others are as in training. */
export const unseenTasks = {
  fill: fills.map((fill) => ({ name: fill, change: { fill, count: 1, size: "large" } as const })),
  arrangement: arrangements.map((arrangement) => ({
    name: arrangement,
    change: { arrangement, count: 4, position: "centre", size: "small" } as const,
  })),
};

export type UnseenTask = keyof typeof unseenTasks;

export interface UnseenImages {
  readonly task: UnseenTask;
  readonly out: string;
  /** Images per class. */
  readonly count: number;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  /** The table of captions to write. */
  readonly pairs?: string | undefined;
}

/** A scene of a class. @param change the attributes of the class */
export function unseenScene(change: Partial<Scene>, seed: number, index: number): Scene {
  return { ...sampleScene(new Random(seed, index), "train"), ...change };
}

/** Writes `out`/CLASS/NNN.png. The images depend only on the options. */
export async function writeUnseenImages({
  task,
  out,
  count,
  seed,
  width,
  height,
  pairs,
}: UnseenImages): Promise<void> {
  const rows = ["filepath,title\n"];
  for (const [c, { name, change }] of unseenTasks[task].entries()) {
    mkdirSync(join(out, name), { recursive: true });
    for (let i = 0; i < count; i++) {
      const index = c * count + i;
      const scene = unseenScene(change, seed, index);
      const { data } = imageOf(scene, seed, index, width, height);
      const image = new Jimp({ data: Buffer.from(data), width, height });
      const path = join(out, name, `${`${i}`.padStart(3, "0")}.png`) as `${string}.png`;
      await image.write(path);
      rows.push(`${path},a photo of a ${name}.\n`);
    }
  }
  if (pairs !== undefined) writeFileSync(pairs, rows.join(""));
}

function isTask(name: string | undefined): name is UnseenTask {
  return name !== undefined && Object.hasOwn(unseenTasks, name);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      task: { type: "string" },
      out: { type: "string" },
      count: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
      size: { type: "string", default: "84x84" },
      pairs: { type: "string" },
    },
  });
  const { task, out } = values;
  const [width, height] = values.size.split("x").map(Number);
  if (!isTask(task) || out === undefined || width === undefined || height === undefined) {
    throw new Error(`unseen-images: expected --task ${Object.keys(unseenTasks).join(" or ")}, and --out DIR`);
  }
  await writeUnseenImages({
    task,
    out,
    count: Number(values.count),
    seed: Number(values.seed),
    width,
    height,
    pairs: values.pairs,
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main();
}
