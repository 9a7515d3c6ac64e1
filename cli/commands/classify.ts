/** `clipscope classify`: zero-shot probabilities of images. */
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { embedImages } from "../../lib/node/images/embed-images.ts";
import type { ImageInput } from "../../lib/tasks/image-source.ts";
import { zeroShotClassifier, zeroShotPrompts, type ZeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { addLabelOptions, readLabels, type LabelOptions } from "../options/class-labels.ts";
import { examples } from "../options/option-values.ts";
import { templateOption, topOption } from "../options/output-options.ts";
import {
  addImageOptions,
  assertOneStandardInput,
  foldersHelp,
  runOverImages,
  withModelAndImages,
  type ImageOptions,
  type ImageRun,
} from "../options/with-images.ts";
import { printScores, type ScoredImage } from "../terminal/scores-table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions, LabelOptions {
  readonly template?: string[];
  readonly top?: number;
}

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("classify")
    .description(
      `Print the probability of each label for each image, best first (zero-shot classification).\n${foldersHelp}`,
    )
    .argument("<image...>", "image files and folders (- for an image on standard input)");
  addLabelOptions(command).addOption(templateOption()).addOption(topOption("labels"));
  addImageOptions(command)
    .addHelpText(
      "after",
      examples(
        'clipscope classify photo.jpg --labels "cat,dog,bird"',
        'clipscope classify photos/ --labels "猫,犬" --template "{}の写真"',
        'clipscope classify *.png --labels "cat,dog" \\',
        '  --template "a photo of a {}" --template "a drawing of a {}" --json',
        "ls classes/ | clipscope classify photos/ --labels-file -",
        'curl https://example.org/cat.jpg | clipscope classify - --labels "cat,dog"',
      ),
    )
    .action(async (paths: string[], _options: unknown, self: Command) => {
      await classify(paths, self.optsWithGlobals(), terminal);
    });
}

async function classify(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { template: templates = ["{}"] } = options;
  assertOneStandardInput([options.labelsFile, ...paths]);
  const labels = await readLabels(options, terminal.stdin);
  zeroShotPrompts(labels, templates); // refuses bad labels before the model is loaded
  await withModelAndImages(paths, options, terminal, async (model, images) => {
    const classifier = await terminal.counting(labels.length, "labels", (onProgress) =>
      zeroShotClassifier(model, labels, templates, { onProgress }),
    );
    try {
      await runOverImages(images.length, options, terminal, (run) =>
        printScores(scoreImages(model, classifier, images, run), options, terminal),
      );
    } finally {
      classifier.dispose();
    }
  });
}

async function* scoreImages(
  model: Clip,
  classifier: ZeroShotClassifier,
  images: readonly ImageInput[],
  run: ImageRun,
): AsyncGenerator<ScoredImage[], void, undefined> {
  for await (const { paths, features } of embedImages(model, images, { normalize: true, ...run })) {
    const scores = await disposing(features, () => classifier.scores(features));
    yield paths.map((path, i) => ({ path, scores: scores[i]! }));
  }
}
