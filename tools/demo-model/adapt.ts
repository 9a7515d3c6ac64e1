/**
 * Measures adapters on the demo model: accuracy by examples per class. `fill` and `arrangement` are never named in the
 * captions that it was trained on; the other tasks are, on images whose combination of colour, shape and background never
 * occurred in its training.
 *
 *   node dist/tools/demo-model/adapt.js [--model DIR] [--count 2000] [--draws 3] [--shots 1,2,4,8,16] [--tasks fill,count]
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
import { imageFeatures } from "./evaluate.ts";
import { fewShotTask, type FewShotTask } from "./few-shot-tasks.ts";

/** None of them is used for training the model or for its evaluation. */
const seeds = { train: 3001, validation: 3002, test: 3003 };

const mostValidation = 4;

async function embed(
  model: Clip,
  task: FewShotTask,
  split: keyof typeof seeds,
  count: number,
): Promise<LabelledFeatures> {
  const seed = seeds[split];
  const examples = task.examples(seed, count);
  const scenes = examples.map(({ scene }) => scene);
  const settings = { seed, count: scenes.length, split: "test", width: 320, height: 240 } as const;
  const features = await imageFeatures(model, scenes, settings);
  const values = new Float32Array(await features.data());
  const [rows, width] = features.shape;
  features.dispose();
  const labels = examples.map(({ label }) => label);
  const metadata = { model_sha256: await modelDigest(model, "image"), normalized: "true" };
  return { name: split, values, rows, width, labels, classNames: task.classNames, paths: null, metadata };
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
      tasks: { type: "string", default: "fill,arrangement,position,count" },
      backend: { type: "string", default: "auto" },
    },
  });
  const count = Number(values.count);
  const shots = values.shots.split(",").map(Number);
  const draws = Array.from({ length: Number(values.draws) }, (_, draw) => draw);
  const backend = values.backend as NonNullable<LoadOptions["backend"]>;
  const model = await loadModel(values.model, { backend });
  for (const name of values.tasks.split(",")) {
    const task = fewShotTask(name);
    const splits = {
      train: await embed(model, task, "train", count),
      validation: await embed(model, task, "validation", count),
      test: await embed(model, task, "test", count),
    };
    const classes = task.classNames.length;
    const head = await textHead(model, splits.train, task.templates);
    const zeroShot = accuracyOf({ weight: head.embeddings, bias: new Float32Array(classes) }, splits.test);
    console.log(
      `\n${name}: ${classes} classes, ${splits.test.rows} test images, zero-shot ${percent(zeroShot)}\n`,
    );
    console.log(`| method | ${shots.map((k) => `${k} per class`).join(" | ")} |`);
    console.log("|---".repeat(shots.length + 1) + "|");
    for (const method of methods) {
      const cells = shots.map((k) => {
        const { mean, half } = meanInterval(draws.map((draw) => accuracy(method, splits, head, k, draw)));
        return `${percent(mean)} ± ${percent(half)}`;
      });
      console.log(`| ${method} | ${cells.join(" | ")} |`);
    }
  }
  await model.dispose();
}

const percent = (value: number): string => (100 * value).toFixed(1);

await main();
