/** `clipscope guide`: generates an image that fits texts. */
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { grid, type Raster } from "../../lib/draw/raster.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { canvasRaster, imageCanvas } from "../../lib/guide/canvas.ts";
import type { Size } from "../../lib/guide/cutout.ts";
import { defaultCanvas, guide as guideImage, type GuideOptions } from "../../lib/guide/guide.ts";
import { parsePrompt, type Prompt } from "../../lib/guide/prompts.ts";
import { imageSimilarities } from "../../lib/guide/similarity.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import { imageReader } from "../../lib/node/images/image-reader.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import {
  examples,
  fraction,
  imageSize,
  nonNegativeNumber,
  positiveInteger,
  wholeNumber,
} from "../options/option-values.ts";
import { exifOption } from "../options/with-images.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { printable } from "../terminal/format.ts";
import { layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly out: string;
  readonly judge?: string;
  readonly from?: string;
  readonly exif?: boolean;
  readonly size?: readonly [number, number];
  readonly steps: number;
  readonly every?: number;
  readonly cutouts?: number;
  readonly smallestCutout?: number;
  readonly lr?: number;
  readonly decay?: number;
  readonly smoothness?: number;
  readonly grain?: number;
  readonly seed?: number;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("guide")
    .description(
      "Generate an image that fits texts, by gradient ascent through the image tower.\n" +
        "A prompt may end with a weight: 'a red circle:1' 'a square:-0.3'. Files are written as the work goes on, so that " +
        "Ctrl+C leaves the steps so far.",
    )
    .argument("<prompt...>", "texts that the image should fit")
    .requiredOption("--out <dir>", "write step-NNNN.png, strip.png and image.png to this directory")
    .option("--judge <dir>", "another model, which measures the finished image too")
    .option("--from <file>", "image to start from (default: noise)")
    .option("--size <pixels>", "canvas, such as 168 or 168x252 (default: the model's input)", imageSize)
    .option("--steps <n>", "steps of the ascent", positiveInteger, 200)
    .option(
      "--every <n>",
      "write the canvas every N steps (default: an eighth of the steps)",
      positiveInteger,
    )
    .option("--cutouts <n>", "cutouts per step (default: 16)", positiveInteger)
    .option(
      "--smallest-cutout <share>",
      "shortest side of a cutout, as a share of the canvas (default: 0.7)",
      fraction,
    )
    .option("--lr <number>", "learning rate (default: 0.07)", nonNegativeNumber)
    .option("--decay <number>", "damping of high frequencies (default: 1.5)", nonNegativeNumber)
    .option(
      "--smoothness <number>",
      "penalty on differences between neighbouring pixels, which falls with the rate (default: 30)",
      nonNegativeNumber,
    )
    .option("--grain <number>", "noise that is added to the cutouts (default: 0.1)", nonNegativeNumber)
    .option("--seed <n>", "seed of the noise and the cutouts (default: 0)", wholeNumber)
    .addOption(exifOption())
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        "clipscope guide 'a red circle on a white background' --out circle",
        "clipscope guide 'a yellow star' 'a blue star:-0.5' --from photo.jpg --steps 100 --out star",
        "clipscope guide 'un cuore rosso' --judge hf:laion/CLIP-ViT-B-32-laion2B-s34B-b79K --out cuore",
      ),
    )
    .action(async (prompts: string[], _options: unknown, self: Command) => {
      await guide(prompts.map(parsePrompt), self.optsWithGlobals(), terminal);
    });
}

interface Made {
  readonly image: Raster;
  readonly files: readonly string[];
  readonly losses: readonly number[];
  readonly similarities: readonly number[];
  /** Before the first step. */
  readonly before: readonly number[];
}

async function guide(prompts: readonly Prompt[], options: Options, terminal: Terminal): Promise<void> {
  const { out, judge, json = false } = options;
  const texts = prompts.map(({ text }) => text);
  if (prompts.every(({ weight }) => weight < 0))
    throw new InputError("expected a prompt with a weight above 0");
  await makeFolder(out);
  const made = await withModel(options, terminal, (model) => ascend(model, prompts, options, terminal));
  const judged =
    judge === undefined
      ? null
      : await withModel({ ...options, model: judge }, terminal, (model) =>
          imageSimilarities(model, made.image, texts),
        );
  if (json) {
    const rows = prompts.map((prompt, i) => ({
      ...prompt,
      before: made.before[i],
      similarity: made.similarities[i],
      judge: judged?.[i] ?? null,
    }));
    terminal.printJson({ prompts: rows, losses: made.losses, files: made.files });
    return;
  }
  terminal.printLines([
    ...table(prompts, made, judged, terminal),
    "",
    ...made.files.slice(-2).map(printable),
  ]);
}

async function ascend(
  model: Clip,
  prompts: readonly Prompt[],
  options: Options,
  terminal: Terminal,
): Promise<Made> {
  const { out, steps, from } = options;
  const every = options.every ?? Math.ceil(steps / 8);
  const texts = prompts.map(({ text }) => text);
  const size = canvasOf(model, options);
  const start = from === undefined ? null : await readCanvas(from, size, model, options);
  const inputs = from === undefined ? [] : [from];
  const losses: number[] = [];
  const files: string[] = [];
  const shown: Raster[] = [];
  let before: number[] = [];
  return disposing(await model.encodeText(texts, { normalize: true }), (embeddings) =>
    terminal.counting(steps, "steps", async (onProgress) => {
      const targets = { embeddings, weights: prompts.map(({ weight }) => weight) };
      const canvases = guideImage(model, targets, {
        ...libraryOptions(options),
        size,
        ...(start && { from: start }),
      });
      for await (const { step, loss, image } of canvases) {
        onProgress(step);
        if (loss !== null) losses.push(loss);
        if (step === 0) before = await imageSimilarities(model, canvasRaster(image, size), texts);
        if (step % every !== 0 && step !== steps) continue;
        shown.push(canvasRaster(image, size));
        const strip = grid(shown, shown.length);
        const name = `step-${`${step}`.padStart(4, "0")}`;
        const drawings = new Map([
          [name, shown.at(-1)!],
          ["image", shown.at(-1)!],
          ["strip", strip],
        ]);
        const [own, ...latest] = await writeDrawings(out, drawings, inputs);
        files.push(own!);
        if (step === steps) files.push(...latest);
      }
      const image = shown.at(-1)!;
      return { image, files, losses, before, similarities: await imageSimilarities(model, image, texts) };
    }),
  );
}

/** @throws InputError for a canvas smaller than the model's input */
function canvasOf({ preprocess }: Clip, { size }: Options): Size {
  if (size === undefined) return defaultCanvas(preprocess);
  const [height, width] = size;
  const [least] = preprocess.size;
  if (Math.min(height, width) >= Math.min(...preprocess.size)) return { height, width };
  throw new InputError(
    `--size: expected ${least} pixels or more, the model's input, found ${height}x${width}`,
  );
}

async function readCanvas(
  path: string,
  size: Size,
  { preprocess }: Clip,
  { exif = false }: Options,
): Promise<Float32Array> {
  const read = imageReader({
    config: preprocess,
    exifOrientation: exif,
    transform: (image, config) => imageCanvas(image, size, config),
  });
  return read(path);
}

function libraryOptions({
  steps,
  cutouts,
  smallestCutout,
  lr,
  decay,
  smoothness,
  grain,
  seed,
}: Options): GuideOptions {
  return {
    steps,
    ...(cutouts !== undefined && { cutouts }),
    ...(smallestCutout !== undefined && { smallestCutout }),
    ...(lr !== undefined && { learningRate: lr }),
    ...(decay !== undefined && { decay }),
    ...(smoothness !== undefined && { smoothness }),
    ...(grain !== undefined && { grain }),
    ...(seed !== undefined && { seed }),
  };
}

function table(
  prompts: readonly Prompt[],
  { before, similarities }: Made,
  judged: readonly number[] | null,
  { width, colors }: Terminal,
): string[] {
  const { head, rows } = layOutTable(
    [
      { title: "similarity to", cut: "end" },
      ...["weight", "before", "after", ...(judged ? ["judge"] : [])].map((title) => ({
        title,
        align: "right" as const,
      })),
    ],
    prompts.map(({ text, weight }, i) => [
      printable(text),
      `${weight}`,
      ...[before[i]!, similarities[i]!, ...(judged ? [judged[i]!] : [])].map((value) => value.toFixed(3)),
    ]),
    { width },
  );
  return [colors.dim(head), ...rows];
}
