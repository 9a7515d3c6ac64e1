/** `clipscope compare`: zero-shot probabilities of images, by several models next to each other. */
import type { Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { embedImages } from "../../lib/node/images/embed-images.ts";
import { findImages } from "../../lib/node/images/image-files.ts";
import { nameOf, type ImageSource } from "../../lib/tasks/image-source.ts";
import { readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { zeroShotClassifier, zeroShotPrompts, type ClassScore } from "../../lib/tasks/zero-shot.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { readLabels } from "../options/class-labels.ts";
import { collect, examples } from "../options/option-values.ts";
import { readLines } from "../options/read-lines.ts";
import { addImageOptions, foldersHelp, runOverImages, type ImageOptions } from "../options/with-images.ts";
import { withModel } from "../options/with-model.ts";
import { comparisonTable, type ComparedImage } from "../terminal/comparison-table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions {
  readonly labels?: string[];
  readonly template?: string[];
  readonly templates?: string[];
}

/** What one model is asked. */
interface Question {
  readonly model: string;
  readonly labels: readonly string[];
  readonly templates: readonly string[];
}

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("compare")
    .description(
      "Print the probability of each label for each image, with a column for each model. One model is loaded at a time.\n" +
        "Labels and templates are given once for all models, or once for each model, in the order of the models: each " +
        `model is then asked in its own language.\n${foldersHelp}`,
    )
    .argument("<image...>", "image files and folders")
    .option("--labels <list>", 'comma-separated class names; repeat for the next model: "cat,dog"', collect)
    .option(
      "--template <text>",
      'prompt with {} for the label; repeat for the next model (default: "{}")',
      collect,
    )
    .option("--templates <file>", "templates to average, one per line; repeat for the next model", collect);
  addImageOptions(command)
    .addHelpText(
      "after",
      examples(
        'clipscope compare photo.jpg --labels "cat,dog" --model model-a/ --model model-b/',
        'clipscope compare photo.jpg --labels "猫,狗" --labels "gatto,cane" \\',
        '  --template "一张{}的照片" --template "una foto di un {}" \\',
        "  --model hf:OFA-Sys/chinese-clip-vit-base-patch16 --model hf:clip-italian/clip-italian",
      ),
    )
    .action(async (paths: string[], _options: unknown, self: Command) => {
      await compare(paths, self.optsWithGlobals(), terminal);
    });
}

async function compare(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const questions = await readQuestions(options, terminal);
  if (paths.includes("-")) {
    throw new InputError(
      "standard input (-) can be read once, and each model reads the images; save the image",
    );
  }
  const images: ImageSource[] = [];
  for (const path of paths) for (const image of await findImages([path], terminal.report)) images.push(image);
  if (images.length === 0) return;
  const answers: ReadonlyMap<string, readonly ClassScore[]>[] = [];
  const failed = new Set<string>();
  for (const question of questions) {
    answers.push(await ask(question, images, options, terminal, failed));
  }
  const compared = images
    .map(nameOf)
    .filter((path) => answers.every((scores) => scores.has(path)))
    .map((path): ComparedImage => ({
      path,
      models: questions.map(({ model }, i) => ({ model, scores: answers[i]!.get(path)! })),
    }));
  if (options.json === true) terminal.printJson(compared);
  else
    for (const image of compared) terminal.printLines(comparisonTable(image, questions[0]!.labels, terminal));
}

/** The scores of one model, by the path of the image. The model is disposed before the next one is loaded. */
async function ask(
  { model: name, labels, templates }: Question,
  images: readonly ImageSource[],
  options: Options,
  terminal: Terminal,
  failed: Set<string>,
): Promise<ReadonlyMap<string, readonly ClassScore[]>> {
  const answers = new Map<string, readonly ClassScore[]>();
  await withModel({ ...options, model: name }, terminal, async (model) => {
    const classifier = await zeroShotClassifier(model, labels, templates);
    try {
      await runOverImages(images.length, options, terminal, async ({ onError, ...run }) => {
        // An image that cannot be read is reported once, not by each model.
        const report = (error: unknown): void => {
          const message = String(error);
          if (!failed.has(message)) onError(error);
          failed.add(message);
        };
        for await (const { paths, features } of embedImages(model, images, {
          normalize: true,
          ...run,
          onError: report,
        })) {
          const scores = await disposing(features, () => classifier.scores(features));
          for (const [i, path] of paths.entries()) {
            // In the order of the labels, so that models with other labels can be read next to each other.
            const byLabel = new Map(scores[i]!.map((score) => [score.label, score]));
            answers.set(
              path,
              labels.map((label) => byLabel.get(label)!),
            );
          }
        }
      });
    } finally {
      classifier.dispose();
    }
  });
  return answers;
}

/** @throws InputError for less than two models, or options that are given neither once nor once for each model */
async function readQuestions(options: Options, terminal: Terminal): Promise<readonly Question[]> {
  const { models, arch, template, templates } = options;
  if (models.length < 2) {
    throw new InputError(
      `compare: expected --model twice or more, found ${models.length}; "clipscope classify" asks one model`,
    );
  }
  if (template !== undefined && templates !== undefined) {
    throw new InputError("expected --template or --templates, found both");
  }
  const labelLists = forEach(models, options.labels ?? [], "--labels");
  const files = templates ?? [];
  const prompts =
    files.length > 0
      ? await Promise.all(forEach(models, files, "--templates").map((file) => readTemplates(file, terminal)))
      : forEach(models, template ?? ["{}"], "--template").map((one) => [one]);
  const questions: Question[] = [];
  for (const [i, model] of models.entries()) {
    const labels = await readLabels({ labels: [labelLists[i]!] }, terminal.stdin);
    const expected = questions[0]?.labels.length ?? labels.length;
    if (labels.length !== expected) {
      throw new InputError(
        `--labels: expected ${expected} labels for ${model}, as for the first model, found ${labels.length}`,
      );
    }
    // Bad labels, templates and model directories are refused before a model is loaded.
    zeroShotPrompts(labels, prompts[i]!);
    await readModelDirectory(model, arch);
    questions.push({ model, labels, templates: prompts[i]! });
  }
  return questions;
}

async function readTemplates(file: string, terminal: Terminal): Promise<string[]> {
  if (file === "-") throw new InputError("--templates: expected a file, found - (standard input)");
  const lines = (await readLines(file, terminal.stdin)).filter((line) => line.trim() !== "");
  if (lines.length === 0) throw new InputError(`${file}: expected templates, one per line, found none`);
  return lines;
}

/** One value for each model. */
function forEach(models: readonly string[], given: readonly string[], option: string): readonly string[] {
  if (given.length === models.length) return given;
  if (given.length === 1) return models.map(() => given[0]!);
  throw new InputError(
    `${option}: expected it once, or once for each of the ${models.length} models, found it ${given.length} times`,
  );
}
