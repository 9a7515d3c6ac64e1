/** `clipscope trace`: the values inside the network, for one image and one text. */
import { Tensor, tensor4d } from "@tensorflow/tfjs-core";
import type { Command } from "commander";
import { disposing } from "../../lib/tensor/disposing.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { imageLoader } from "../../lib/node/images/image-loader.ts";
import { demoModel, readModelDirectory, type ModelDirectory } from "../../lib/node/models/model-directory.ts";
import { readTokenizer } from "../../lib/node/models/read-tokenizer.ts";
import { TraceFile } from "../../lib/node/files/trace-file.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import { runInputs } from "../../lib/parity/run-inputs.ts";
import { TapGlobs } from "../../lib/tensor/tap-globs.ts";
import { studyImage } from "../../lib/study/study.ts";
import { summarize } from "../../lib/study/summary.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { statistics, type Statistics } from "../../lib/tensor/statistics.ts";
import { readTap, withTaps } from "../../lib/tensor/taps.ts";
import { addLabelOptions, readLabels, type LabelOptions } from "../options/class-labels.ts";
import { collect, examples, wholeNumber } from "../options/option-values.ts";
import { figuresOption } from "../options/output-options.ts";
import { exifOption } from "../options/with-images.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { packageInfo } from "../package-info.ts";
import { percent, printable } from "../terminal/format.ts";
import { layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions, LabelOptions {
  readonly image?: string;
  readonly text?: string;
  readonly out?: string;
  readonly figures?: string;
  readonly layer?: number;
  readonly head?: number;
  readonly absoluteScale?: boolean;
  readonly taps?: string[];
  readonly stats?: boolean;
  readonly exif?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("trace")
    .description(
      "Run an image and a text through the network and write the output of every module, in the format of a golden file: " +
        "safetensors, F32, with PyTorch's layouts and module names.\nAlternatively, print statistics, or draw attention.",
    )
    .option("--image <file>", "input of the image tower")
    .option("--text <text>", "input of the text tower")
    .option("--out <file>", "file to write (safetensors)")
    .option(
      "--taps <glob>",
      "only taps that match; may be repeated. * matches any characters, including dots. Values that are not a module's " +
        "output, such as attention probabilities, have a # in their name, which the glob must contain",
      collect,
    )
    .option("--stats", "print mean, std, norm, kurtosis and fraction of zeros of each tap; write no file")
    .addOption(
      figuresOption(
        "PNG",
        "the image tower's attention, filters and position embeddings; with labels, also its classification after each layer",
      ),
    )
    .option(
      "--layer <i>",
      "with --figures: the layer whose attention is drawn (default: the last)",
      wholeNumber,
    )
    .option("--head <i>", "with --figures: the head whose attention is drawn (default: all)", wholeNumber)
    .option(
      "--absolute-scale",
      "with --figures: one scale for all maps of a chart, so that their colours can be compared (default: each map its own)",
    );
  addLabelOptions(command)
    .addOption(exifOption())
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        'clipscope trace --image cat.jpg --text "a cat" --out trace.safetensors',
        'clipscope trace --image cat.jpg --out trace.safetensors --taps "*attn#probabilities"',
        'clipscope trace --text "a cat" --stats --taps "*.layer.*.output"',
        'clipscope trace --image cat.jpg --figures study/ --labels "cat,dog"',
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await trace(self.optsWithGlobals(), terminal);
    });
}

/** The inputs of a pass; null for a tower without input. */
interface Inputs {
  /** [3, H, W] */
  readonly pixels: Float32Array | null;
  readonly imageSize: readonly [number, number];
  readonly ids: readonly number[] | null;
  /** `ids` padded to the context. */
  readonly padded: readonly number[];
}

/** An input of the network, which needs no backend. */
interface Input {
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** Receives an input, or a tap's value, borrowed until the promise settles. */
type Visit = (name: string, value: Input | Tensor) => unknown;

async function trace(options: Options, terminal: Terminal): Promise<void> {
  const { out, figures, stats = false, json = false } = options;
  if (options.image === undefined && options.text === undefined) {
    throw new InputError("expected --image, --text or both");
  }
  if (Number(out !== undefined) + Number(figures !== undefined) + Number(stats) !== 1) {
    throw new InputError("expected one of --out (a file), --stats (a table) and --figures (a directory)");
  }
  if (figures !== undefined) {
    await drawFigures(figures, options, terminal);
    return;
  }
  const { labels, labelsFile, layer, head, absoluteScale } = options;
  const forFigures = {
    "--labels": labels,
    "--labels-file": labelsFile,
    "--layer": layer,
    "--head": head,
    "--absolute-scale": absoluteScale,
  };
  const idle = Object.entries(forFigures).find(([, value]) => value !== undefined);
  if (idle !== undefined) throw new InputError(`${idle[0]} requires --figures`);
  const globs = new TapGlobs(options.taps ?? []);
  if (out === undefined) {
    const pending: Promise<Row>[] = [];
    await visitTaps(options, globs, terminal, (name, value) => {
      if (value instanceof Tensor)
        pending.push(summarize(name, value).then((summary) => rowOf(name, value, summary.statistics)));
      else if (value.values instanceof Float32Array) {
        pending.push(Promise.resolve(rowOf(name, value, statistics(value.values))));
      }
      return pending.at(-1);
    });
    const rows = await Promise.all(pending);
    if (json) terminal.printJson(rows);
    else terminal.printLines(statisticsTable(rows, terminal));
    return;
  }
  const file = await TraceFile.create(out, [options.image]);
  try {
    let appended = Promise.resolve();
    const backend = await visitTaps(options, globs, terminal, (name, value) => {
      const { shape } = value;
      const read = value instanceof Tensor ? readTap(value) : Promise.resolve(value.values);
      appended = appended.then(async () => {
        const values = await read;
        const dtype = values instanceof BigInt64Array ? "I64" : "F32";
        const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
        file.append({ name, dtype, shape }, bytes);
      });
      return appended;
    });
    await file.finish({ clipscope: packageInfo().version, backend });
  } finally {
    await file.close();
  }
  const written = file.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  if (json) terminal.printJson({ out, tensors: written });
  else terminal.print(`${out}: ${written.length} tensors`);
}

/**
 * Visits the taps that the globs match, in the order of the computation. Runs only the towers that the globs need.
 *
 * @returns a description of the backend
 * @throws InputError for a glob without a match
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
  const sink: Visit = (name, value) => {
    seen.push(name);
    return globs.matches(name) ? visit(name, value) : undefined;
  };
  if (ids)
    await sink("input.text", { shape: [1, padded.length], values: BigInt64Array.from(padded, BigInt) });
  if (pixels) await sink("input.image", { shape: [1, 3, ...imageSize], values: pixels });

  const both = pixels !== null && ids !== null && globs.mayMatch("logits_per_image");
  const imageNames = ["visual", "image_features"];
  const textNames = ["text", "token_embedding", "transformer", "ln_final"];
  // If a glob matches nothing, run everything: the error lists all taps.
  const all = both || !globs.mayMatch(...imageNames, ...textNames, "input", "logits_per_image");
  const runsImage = pixels !== null && (all || globs.mayMatch(...imageNames));
  const runsText = ids !== null && (all || globs.mayMatch(...textNames));
  let backend = "none";
  if (runsImage || runsText) {
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
      `--taps "${unmatched}": no tap matches${unmatched.includes("#") ? "" : " (names with # need a glob with #)"}; expected one of`,
      seen,
    );
  }
  return backend;
}

/** Reads only what the options need: no tokenizer without a text, and no weights. */
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
  throw new Error(`${path}: the loader returned no image`);
}

async function drawFigures(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { image, text, layer, head, absoluteScale = false, json = false } = options;
  if (image === undefined || text !== undefined)
    throw new InputError("--figures requires --image and does not accept --text");
  const hasLabels = options.labels !== undefined || options.labelsFile !== undefined;
  const labels = hasLabels ? await readLabels(options, terminal.stdin) : null;
  const { pixels, imageSize } = await readInputs(options);
  await makeFolder(folder);
  await withModel(options, terminal, async (model) => {
    const classifier = labels && (await zeroShotClassifier(model, labels));
    try {
      const { figures, answers } = await disposing(tensor4d(pixels!, [1, 3, ...imageSize]), (input) =>
        studyImage(model, input, {
          absoluteScale,
          ...(layer !== undefined && { layer }),
          ...(head !== undefined && { head }),
          ...(classifier && { classifier }),
        }),
      );
      const files = await writeDrawings(folder, figures, image === "-" ? [] : [image]);
      if (json) terminal.printJson({ files, ...(answers && { labels, answers }) });
      else {
        if (answers) terminal.printLines(answerTable(labels!, answers, terminal));
        terminal.printLines(files);
      }
    } finally {
      classifier?.dispose();
    }
  });
}

/** A row per class and a column per layer, in percent; the best class of each layer is marked. */
function answerTable(
  labels: readonly string[],
  answers: readonly (readonly number[])[],
  { width, colors }: Terminal,
): string[] {
  const { head, rows } = layOutTable(
    [
      { title: "% after layer", cut: "end" },
      ...answers.map((_, layer) => ({ title: `${layer}`, align: "right" as const })),
    ],
    labels.map((label, c) => [
      printable(label),
      ...answers.map((layer) => {
        const percent = (100 * layer[c]!).toFixed(1).padStart(5);
        return layer[c] === Math.max(...layer) ? colors.bold(colors.green(percent)) : percent;
      }),
    ]),
    { width, gap: 1 },
  );
  return [colors.dim(head), ...rows, ""];
}

interface Row extends Statistics {
  readonly name: string;
  readonly shape: readonly number[];
}

function rowOf(
  name: string,
  { shape }: Pick<Input, "shape">,
  { mean, std, norm, kurtosis, zeros }: Statistics,
): Row {
  return { name, shape, mean, std, norm, kurtosis, zeros };
}

function statisticsTable(taps: readonly Row[], { width, colors }: Terminal): string[] {
  const titles = ["mean", "std", "norm", "kurtosis", "zeros"];
  const { head, rows } = layOutTable(
    [{ title: "tap", cut: "start" }, ...titles.map((title) => ({ title, align: "right" as const }))],
    taps.map(({ name, mean, std, norm, kurtosis, zeros }) => [
      name,
      ...[mean, std, norm, kurtosis].map(short),
      percent(zeros),
    ]),
    { width },
  );
  return [colors.dim(head), ...rows];
}

/** Four significant digits, in few characters. */
function short(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : value.toPrecision(4);
}
