/** `clipscope classify`: zero-shot probabilities of images. */
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { findImages, imageExtensions } from "../../lib/node/images/image-files.ts";
import { embedImages } from "../../lib/tasks/embed.ts";
import {
  zeroShotClassifier,
  zeroShotPrompts,
  type ClassScore,
  type ZeroShotClassifier,
} from "../../lib/tasks/zero-shot.ts";
import type { InputError } from "../../lib/errors/input-error.ts";
import { labelsFileOption, labelsOption, readLabels, type LabelOptions } from "../options/labels.ts";
import { withModel } from "../options/model.ts";
import {
  batchOption,
  collect,
  embedOptions,
  examples,
  exifOption,
  positiveInteger,
  weightsOption,
  type ImageOptions,
} from "../options/options.ts";
import { scoresTable } from "../terminal/scores.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions, LabelOptions {
  readonly template?: string[];
  readonly top?: number;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("classify")
    .description(
      "Zero-shot classification: how probable each label is for each image, best first.\n" +
        `A folder stands for the images in it and below it (${imageExtensions.join(" ")}).`,
    )
    .argument("<image...>", "image files and folders")
    .addOption(labelsOption())
    .addOption(labelsFileOption())
    .option(
      "--template <text>",
      'prompt with {} for the label; several are averaged (default: "{}")',
      collect,
    )
    .option("--top <k>", "show the best K labels (default: all)", positiveInteger)
    .addOption(exifOption())
    .addOption(batchOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        'clipscope classify photo.jpg --labels "cat,dog,bird"',
        'clipscope classify photos/ --labels "猫,犬" --template "{}の写真"',
        'clipscope classify *.png --labels "cat,dog" \\',
        '  --template "a photo of a {}" --template "a drawing of a {}" --json',
      ),
    )
    .action(async (paths: string[], _options: unknown, command: Command) => {
      await classify(paths, command.optsWithGlobals(), terminal);
    });
}

async function classify(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { template: templates = ["{}"], top, json = false } = options;
  const labels = await readLabels(options);
  zeroShotPrompts(labels, templates); // to complain before the model is loaded
  const report = (error: InputError): void => {
    terminal.report(error);
  };
  const files = await findImages(paths, report);
  if (files.length === 0) return;

  await withModel(options, terminal, async (model) => {
    const classifier = await embedLabels(model, labels, templates, terminal);
    const progress = terminal.progress(files.length, "images");
    const results: { path: string; scores: ClassScore[] }[] = [];
    try {
      const batches = embedImages(model, files, {
        normalize: true,
        ...embedOptions(options),
        onError: report,
        onProgress: progress.update,
      });
      for await (const batch of batches) {
        const scores = await disposing(batch.features, (features) => classifier.scores(features));
        for (const [i, path] of batch.paths.entries()) {
          const best = scores[i]!.slice(0, top);
          if (json) results.push({ path, scores: best });
          else for (const line of scoresTable(path, best, terminal)) terminal.print(line);
        }
      }
    } finally {
      progress.stop();
      classifier.dispose();
    }
    if (json) terminal.printJson(results);
  });
}

async function embedLabels(
  model: Clip,
  labels: readonly string[],
  templates: readonly string[],
  terminal: Terminal,
): Promise<ZeroShotClassifier> {
  const progress = terminal.progress(labels.length, "labels");
  try {
    return await zeroShotClassifier(model, labels, templates, { onProgress: progress.update });
  } finally {
    progress.stop();
  }
}
