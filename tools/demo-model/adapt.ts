/**
 * Measures adapters on the demo model: accuracy by examples per class, on generated images whose combination of colour,
 * shape and background never occurred in its training.
 *
 *   node dist/tools/demo-model/adapt.js [--model DIR] [--count 2000] [--draws 3] [--shots 1,2,4,8,16] [--tasks "count,position"]
 *     [--backend auto]
 *
 * Training, validation and test images come from different seeds. The validation split has as many examples per class as
 * the training split, at most four, as in CoOp's protocol. The test split decides nothing.
 */
import { parseArgs } from "node:util";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { modelDigest } from "../../lib/features/model-digest.ts";
import { demoModel, loadModel, type Clip, type LoadOptions } from "../../lib/index.ts";
import { adapt, adaptMethods, type AdaptMethod } from "../../lib/probe/adapt.ts";
import { fitProbe } from "../../lib/probe/fit.ts";
import { meanInterval } from "../../lib/probe/interval.ts";
import { accuracyOf } from "../../lib/probe/logits.ts";
import { takeShots } from "../../lib/probe/shots.ts";
import { textHead } from "../../lib/probe/text-head.ts";
import type { TextHead } from "../../lib/probe/zero-shot-head.ts";
import { sceneOf } from "./dataset.ts";
import { imageFeatures } from "./evaluate.ts";
import type { Scene } from "./scene.ts";
import { classNames, demoTasks, templates, type Task } from "./tasks.ts";

/** None of them is used for training the model or for its evaluation. */
const seeds = { train: 3001, validation: 3002, test: 3003 };

const mostValidation = 4;

interface Embedded {
  readonly scenes: readonly Scene[];
  readonly values: Float32Array;
  readonly width: number;
}

async function embed(model: Clip, seed: number, count: number): Promise<Embedded> {
  const scenes = Array.from({ length: count }, (_, index) => sceneOf(seed, index, "test"));
  const features = await imageFeatures(model, scenes, { seed, count, split: "test", width: 320, height: 240 });
  const values = new Float32Array(await features.data());
  const width = features.shape[1];
  features.dispose();
  return { scenes, values, width };
}

/** The images that the task applies to. */
function labelled(name: string, { scenes, values, width }: Embedded, task: Task, digest: string): LabelledFeatures {
  const rows = scenes.flatMap((scene, row) => (task.label(scene) === undefined ? [] : [row]));
  const own = new Float32Array(rows.length * width);
  for (const [to, from] of rows.entries()) own.set(values.subarray(from * width, (from + 1) * width), to * width);
  return {
    name,
    values: own,
    rows: rows.length,
    width,
    labels: rows.map((row) => task.label(scenes[row]!)!),
    classNames: classNames(task, "en"),
    paths: null,
    metadata: { model_sha256: digest, normalized: "true" },
  };
}

type Method = AdaptMethod | "logistic regression";

const methods: readonly Method[] = [...adaptMethods, "logistic regression"];

interface Splits {
  readonly train: LabelledFeatures;
  readonly validation: LabelledFeatures;
  readonly test: LabelledFeatures;
}

function accuracy(method: Method, splits: Splits, head: TextHead, shots: number, draw: number): number {
  const train = takeShots(splits.train, shots, draw);
  const validation = takeShots(splits.validation, Math.min(shots, mostValidation), draw);
  const { probe } =
    method === "logistic regression"
      ? fitProbe(train)
      : adapt(train, head, method, validation, { seed: draw });
  return accuracyOf(probe, splits.test);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string", default: demoModel },
      count: { type: "string", default: "2000" },
      draws: { type: "string", default: "3" },
      shots: { type: "string", default: "1,2,4,8,16" },
      tasks: { type: "string", default: "colour and shape,count,position,size" },
      backend: { type: "string", default: "auto" },
    },
  });
  const count = Number(values.count);
  const shots = values.shots.split(",").map(Number);
  const draws = Array.from({ length: Number(values.draws) }, (_, draw) => draw);
  const backend = values.backend as NonNullable<LoadOptions["backend"]>;
  const model = await loadModel(values.model, { backend });
  const digest = await modelDigest(model, "image");
  const [train, validation, test] = await Promise.all(
    Object.values(seeds).map((seed) => embed(model, seed, count)),
  );
  const most = Math.max(...shots);
  for (const name of values.tasks.split(",")) {
    const task = demoTasks.find((one) => one.name === name);
    if (task === undefined) throw new Error(`adapt: unknown task ${name}; known: ${demoTasks.map((one) => one.name).join(", ")}`);
    const splits = {
      train: labelled("train", train!, task, digest),
      validation: labelled("validation", validation!, task, digest),
      test: labelled("test", test!, task, digest),
    };
    takeShots(splits.train, most); // fails early if --count is too small
    const head = await textHead(model, splits.train, templates(task, "en"));
    const zeroShot = accuracyOf({ weight: head.embeddings, bias: new Float32Array(task.classes.length) }, splits.test);
    console.log(`\n${name}: ${task.classes.length} classes, ${splits.test.rows} test images, zero-shot ${percent(zeroShot)}`);
    console.log(`| method | ${shots.map((k) => `${k} per class`).join(" | ")} |`);
    console.log("|---".repeat(shots.length + 1) + "|");
    for (const method of methods) {
      const cells = shots.map((k) => {
        const { mean, halfWidth } = meanInterval(draws.map((draw) => accuracy(method, splits, head, k, draw)));
        return `${percent(mean)} ± ${percent(halfWidth)}`;
      });
      console.log(`| ${method} | ${cells.join(" | ")} |`);
    }
  }
  await model.dispose();
}

const percent = (value: number): string => (100 * value).toFixed(1);

await main();
