/** `clipscope trace`: what goes on inside the network, for an image and a text of one's own. */
import { tensor4d, type Tensor } from "@tensorflow/tfjs-core";
import { InvalidArgumentError, type Command } from "commander";
import { disposing } from "../../lib/tensor/disposing.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { imageLoader } from "../../lib/node/images/image-loader.ts";
import { demoModel, readModelDirectory, type ModelDirectory } from "../../lib/node/models/model-directory.ts";
import { readTokenizer } from "../../lib/node/models/read-tokenizer.ts";
import { TraceFile } from "../../lib/node/files/trace-file.ts";
import { makeFolder } from "../../lib/node/files/write-file.ts";
import { writePictures } from "../../lib/node/files/write-png.ts";
import { runInputs } from "../../lib/parity/run-inputs.ts";
import { TapGlobs } from "../../lib/parity/tap-globs.ts";
import { studyImage } from "../../lib/study/study.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { statistics, type Statistics } from "../../lib/tensor/statistics.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { labelsFileOption, labelsOption, readLabels, type LabelOptions } from "../options/labels.ts";
import { withModel } from "../options/model.ts";
import { collect, examples, exifOption, weightsOption, type ModelOptions } from "../options/options.ts";
import { packageInfo } from "../package-info.ts";
import { fit, fitEnd, printable, widest } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions, LabelOptions {
  readonly image?: string;
  readonly text?: string;
  readonly out?: string;
  readonly pictures?: string;
  readonly layer?: number;
  readonly head?: number;
  readonly taps?: string[];
  readonly stats?: boolean;
  readonly exif?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("trace")
    .description(
      "Runs an image and a text through the network and writes the output of every module, as a golden file of " +
        "OpenCLIP has it: safetensors, F32, in PyTorch's layout, named as PyTorch's modules.",
    )
    .option("--image <file>", "what the image tower sees")
    .option("--text <text>", "what the text tower reads")
    .option("--out <file>", "where to write (safetensors)")
    .option(
      "--taps <glob>",
      "only what matches, repeated for several: * is any characters, dots too. Attention probabilities and other " +
        "values that no module puts out are named with a #, and so must the glob",
      collect,
    )
    .option("--stats", "print mean, std, norm, kurtosis and share of zeros by depth, and write no file")
    .option(
      "--pictures <dir>",
      "draw the image tower's attention, filters and position embeddings, with --labels its answer after each layer",
    )
    .option("--layer <i>", "--pictures: whose attention, from 0 (default: the last)", wholeNumber)
    .option("--head <i>", "--pictures: whose attention, from 0 (default: all)", wholeNumber)
    .addOption(labelsOption())
    .addOption(labelsFileOption())
    .addOption(exifOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        'clipscope trace --image cat.jpg --text "a cat" --out trace.safetensors',
        'clipscope trace --image cat.jpg --out trace.safetensors --taps "*attn#probabilities"',
        'clipscope trace --text "a cat" --stats --taps "*.layer.*.output"',
        'clipscope trace --image cat.jpg --pictures study/ --labels "cat,dog"',
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await trace(command.optsWithGlobals(), terminal);
    });
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

/** What a pass starts from; null for a tower without input. */
interface Inputs {
  /** [3, H, W] */
  readonly pixels: Float32Array | null;
  readonly imageSize: readonly [number, number];
  readonly ids: readonly number[] | null;
  /** `ids` padded to the context. */
  readonly padded: readonly number[];
}

type Visit = (name: string, shape: readonly number[], values: Float32Array | BigInt64Array) => void;

async function trace(options: Options, terminal: Terminal): Promise<void> {
  const { out, pictures, stats = false, json = false } = options;
  if (options.image === undefined && options.text === undefined) {
    throw new InputError("expected --image or --text, or both");
  }
  if (Number(out !== undefined) + Number(pictures !== undefined) + Number(stats) !== 1) {
    throw new InputError(
      "expected --out for a file, --stats for a table or --pictures for a folder, one of them",
    );
  }
  if (pictures !== undefined) {
    await drawPictures(pictures, options, terminal);
    return;
  }
  const { labels, labelsFile, layer, head } = options;
  const forPictures = { "--labels": labels, "--labels-file": labelsFile, "--layer": layer, "--head": head };
  const idle = Object.entries(forPictures).find(([, value]) => value !== undefined);
  if (idle !== undefined) throw new InputError(`${idle[0]} has a meaning with --pictures alone`);
  const globs = new TapGlobs(options.taps ?? []);
  if (out === undefined) {
    const rows: Row[] = [];
    await visitTaps(options, globs, terminal, (name, shape, values) => {
      if (values instanceof Float32Array) rows.push({ name, shape, ...statistics(values) });
    });
    if (json) terminal.printJson(rows);
    else for (const line of table(rows, terminal)) terminal.print(line);
    return;
  }
  const file = await TraceFile.create(out, [options.image]);
  try {
    const backend = await visitTaps(options, globs, terminal, (name, shape, values) => {
      const dtype = values instanceof BigInt64Array ? "I64" : "F32";
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      file.append({ name, dtype, shape }, bytes);
    });
    await file.finish({ clipscope: packageInfo().version, backend });
  } finally {
    await file.discard();
  }
  const written = file.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  if (json) terminal.printJson({ out, tensors: written });
  else terminal.print(`${out}: ${written.length} tensors`);
}

/**
 * Shows the taps that are meant, by depth; the network runs only if it takes part.
 *
 * @returns the backend, in a line for people
 * @throws InputError for a glob that nothing matches
 */
async function visitTaps(
  options: Options,
  globs: TapGlobs,
  terminal: Terminal,
  visit: Visit,
): Promise<string> {
  const inputs = await readInputs(options);
  const { pixels, imageSize, ids, padded } = inputs;
  const seen: string[] = [];
  const show: Visit = (name, shape, values) => {
    seen.push(name);
    if (globs.matches(name)) visit(name, shape, values);
  };
  if (ids) show("input.text", [1, padded.length], BigInt64Array.from(padded, BigInt));
  if (pixels) show("input.image", [1, 3, ...imageSize], pixels);

  const both = pixels !== null && ids !== null && globs.mayMatch("logits_per_image");
  const imageNames = ["visual", "image_features"];
  const textNames = ["text", "token_embedding", "transformer", "ln_final"];
  // What means nothing is answered with a list of all.
  const all = both || !globs.mayMatch(...imageNames, ...textNames, "input", "logits_per_image");
  const runsImage = pixels !== null && (all || globs.mayMatch(...imageNames));
  const runsText = ids !== null && (all || globs.mayMatch(...textNames));
  let backend = "none";
  if (runsImage || runsText) {
    const sink = (name: string, value: Tensor): void => {
      show(name, value.shape, value.dataSync() as Float32Array);
    };
    await withModel(options, terminal, async (model) => {
      backend = (await startNodeBackend(options.backend)).description;
      const rows = runsText ? [ids] : null;
      if (!runsImage) await withTaps(sink, () => runInputs(model, null, rows));
      else {
        const image = tensor4d(pixels, [1, 3, ...imageSize]);
        await disposing(image, () => withTaps(sink, () => runInputs(model, image, rows)));
      }
    });
  }
  const [unmatched] = globs.unmatched;
  if (unmatched !== undefined) {
    throw new InputError(
      `--taps "${unmatched}": nothing of that name here${unmatched.includes("#") ? "" : " (names with # take a glob with #)"}; there are`,
      seen,
    );
  }
  return backend;
}

/** Reads what is asked for, and nothing else: no tokenizer without a text, no weights. */
async function readInputs({ model = demoModel, arch, image, text, exif = false }: Options): Promise<Inputs> {
  const directory = await readModelDirectory(model, arch);
  const tokenizer = text === undefined ? null : await readTokenizer(directory);
  const ids = tokenizer?.encode(text!) ?? null;
  const padded = Array.from(
    { length: directory.config.text.contextLength },
    (_, i) => ids?.[i] ?? tokenizer?.padId ?? 0,
  );
  const pixels = image === undefined ? null : await readImage(image, directory, exif);
  return { pixels, imageSize: directory.config.vision.imageSize, ids, padded };
}

async function readImage(path: string, { preprocess }: ModelDirectory, exif: boolean): Promise<Float32Array> {
  for await (const image of imageLoader({ config: preprocess, exifOrientation: exif, workers: 1 }).load([
    path,
  ])) {
    if ("error" in image) throw image.error;
    return image.pixels;
  }
  throw new Error(`${path}: no image came`);
}

async function drawPictures(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { image, text, layer, head, json = false } = options;
  if (image === undefined || text !== undefined)
    throw new InputError("--pictures takes an --image, and no --text");
  const hasLabels = options.labels !== undefined || options.labelsFile !== undefined;
  const labels = hasLabels ? await readLabels(options) : null;
  const { pixels, imageSize } = await readInputs(options);
  await makeFolder(folder);
  await withModel(options, terminal, async (model) => {
    const classifier = labels && (await zeroShotClassifier(model, labels));
    try {
      const { pictures, answers } = await disposing(tensor4d(pixels!, [1, 3, ...imageSize]), (input) =>
        studyImage(model, input, {
          ...(layer !== undefined && { layer }),
          ...(head !== undefined && { head }),
          ...(classifier && { classifier }),
        }),
      );
      const files = await writePictures(folder, pictures);
      if (json) terminal.printJson({ files, ...(answers && { labels, answers }) });
      else {
        if (answers) for (const line of answerTable(labels!, answers, terminal)) terminal.print(line);
        for (const file of files) terminal.print(file);
      }
    } finally {
      classifier?.dispose();
    }
  });
}

/** A row a class, a column a layer, in percent; each layer's best is marked. */
function answerTable(
  labels: readonly string[],
  answers: readonly (readonly number[])[],
  { width, colors }: Terminal,
): string[] {
  const cell = 6;
  const labelWidth = Math.min(widest(labels), Math.max(8, width - cell * answers.length));
  const head = answers.map((_, layer) => String(layer).padStart(cell)).join("");
  const rows = labels.map((label, c) => {
    const cells = answers.map((layer) => {
      const percent = (100 * layer[c]!).toFixed(1).padStart(cell);
      return layer[c] === Math.max(...layer) ? colors.bold(colors.green(percent)) : percent;
    });
    return `${fit(printable(label), labelWidth)}${cells.join("")}`;
  });
  return [colors.dim(`${fit("% after layer", labelWidth)}${head}`), ...rows, ""];
}

interface Row extends Statistics {
  readonly name: string;
  readonly shape: readonly number[];
}

function table(rows: readonly Row[], { width, colors }: Terminal): string[] {
  const titles = ["mean", "std", "norm", "kurtosis", "zeros"];
  const cells = rows.map(({ mean, std, norm, kurtosis, zeros }) => [
    short(mean),
    short(std),
    short(norm),
    short(kurtosis),
    `${(100 * zeros).toFixed(1)}%`,
  ]);
  const widths = titles.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const room = Math.max(12, width - widths.reduce((sum, column) => sum + column + 2, 0));
  const nameWidth = Math.min(room, Math.max(3, ...rows.map(({ name }) => name.length)));
  const line = (name: string, row: readonly string[]): string =>
    [fitEnd(name, nameWidth), ...row.map((text, i) => text.padStart(widths[i]!))].join("  ");
  return [colors.dim(line("tap", titles)), ...rows.map(({ name }, i) => line(name, cells[i]!))];
}

/** Four significant digits, in few columns. */
function short(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : value.toPrecision(4);
}
