/** `clipscope inspect`: what a model consists of. Needs no backend, and with `--arch` no weights. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { declaredTensors, ignoredTensors } from "../../lib/clip/network.ts";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../lib/clip/config/open-clip.ts";
import { countFlops, type Flops } from "../../lib/clip/flops.ts";
import { fitTensors, recognizeArchitecture } from "../../lib/clip/config/recognize.ts";
import { unreadable } from "../../lib/node/files/file-source.ts";
import {
  configName,
  demoModel,
  exists,
  findModel,
  findWeights,
  openWeightsFile,
  readModelAt,
  type Weights,
} from "../../lib/node/models/model-directory.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import { tensorStatistics, type TensorStatistics } from "../../lib/tensor/statistics.ts";
import { gigaflops, moduleTree, type TreeTensor } from "../terminal/module-tree.ts";
import { examples, positiveInteger, type GlobalOptions } from "../options/options.ts";
import { fit, printable, widest } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly stats?: boolean;
  readonly depth?: number;
  readonly imageSize?: readonly [number, number];
  readonly textLength?: number;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("inspect")
    .description(
      "The module tree of a model: shapes, parameters, GFLOPs, dtypes, file offsets.\n" +
        "GFLOPs are two for each multiply-add of matrix products, for one image and one text.",
    )
    .argument("[path]", "model directory, hf:REPOSITORY or file of weights (default: --model)")
    .option("--stats", "read every tensor: min, max, mean, std, NaN, infinities")
    .option("--depth <n>", "levels of modules to show (default: all)", positiveInteger)
    .option("--image-size <pixels>", "count GFLOPs at this size: 336 or 224x448 (height first)", imageSize)
    .option("--text-length <tokens>", "count GFLOPs at this length", positiveInteger)
    .addHelpText(
      "after",
      examples(
        "clipscope inspect --arch xlm-roberta-large-ViT-H-14 --depth 3",
        "clipscope inspect model/ --stats",
        "clipscope inspect open_clip_pytorch_model.bin --json",
      ),
    )
    .action(async (path: string | undefined, _options: unknown, command: Command) => {
      await inspect(path, command.optsWithGlobals(), terminal);
    });
}

function imageSize(text: string): readonly [number, number] {
  const [, height, width = height] = /^([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?$/.exec(text) ?? [];
  if (height === undefined) throw new InvalidArgumentError("Expected pixels, such as 336 or 224x448.");
  return [Number(height), Number(width)];
}

interface Subject {
  readonly title: string;
  readonly config: ClipConfig | null;
  readonly weights: Weights | null;
}

async function inspect(path: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { title, config, weights } = await findSubject(path ?? options.model, options.arch);
  try {
    const tensors = weights === null ? declared(config) : stored(weights);
    const parameters = tensors
      .filter(({ name }) => !ignoredTensors.includes(name))
      .reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const flops =
      config === null
        ? null
        : countFlops(config, {
            ...(options.imageSize === undefined ? {} : { imageSize: options.imageSize }),
            ...(options.textLength === undefined ? {} : { textLength: options.textLength }),
          });
    const stats = options.stats === true && weights !== null ? await allStatistics(weights, terminal) : null;
    if (options.json === true) {
      terminal.printJson({
        parameters,
        gflops: flops === null ? null : { image: flops.image / 1e9, text: flops.text / 1e9 },
        tensors: tensors.map((tensor) => ({
          ...tensor,
          ...(stats === null ? {} : { stats: stats.get(tensor.name) ?? null }),
        })),
      });
      return;
    }
    terminal.print(printable(title));
    const { depth } = options;
    const lines =
      stats === null
        ? moduleTree(tensors, {
            width: terminal.width,
            ...(flops === null ? {} : { flops: flops.modules }),
            ...(depth === undefined ? {} : { depth }),
          })
        : statisticsTable(stats);
    for (const line of lines) terminal.print(printable(line));
    for (const line of summary(tensors.length, parameters, flops, options)) terminal.print(line);
    if (config !== null && weights !== null) {
      const { problems, unexpected } = fitTensors(config, weights.store.tensors);
      for (const problem of problems) terminal.print(printable(`does not fit: ${problem}`));
      for (const name of unexpected) terminal.print(printable(`does not fit: unexpected  ${name}`));
    }
  } finally {
    await weights?.store.close();
  }
}

/** An architecture alone, a model directory with or without weights, or a file of weights. */
async function findSubject(path: string | undefined, arch: string | undefined): Promise<Subject> {
  if (path === undefined && arch !== undefined) {
    return { title: arch, config: await architecture(arch), weights: null };
  }
  const model = await findModel(path ?? demoModel);
  const { path: place, pretrained, wayOut } = model;
  const kind = await stat(place).catch((error: unknown) => {
    throw unreadable(place, error);
  });
  if (kind.isDirectory()) {
    const isNamed = (arch ?? pretrained) !== undefined;
    const hasConfig = isNamed || (await exists(join(place, configName)));
    const config = hasConfig ? (await readModelAt(model, arch)).config : null;
    const file = await findWeights(place, wayOut).catch((error: unknown) => {
      // A config alone can be inspected too.
      if (config === null) throw error;
      return null;
    });
    const weights = file === null ? null : await openWeightsFile(file);
    return { title: file ?? place, config: config ?? (await recognized(weights)), weights };
  }
  const weights = await openWeightsFile(place);
  const config = arch === undefined ? await recognized(weights) : await architecture(arch);
  return { title: place, config, weights };
}

function architecture(name: string): Promise<ClipConfig> {
  return parseClipConfig(architectureByName(name), name, () => Promise.resolve(null));
}

async function recognized(weights: Weights | null): Promise<ClipConfig | null> {
  if (weights === null) return null;
  const [name] = await recognizeArchitecture(weights.store.tensors);
  return name === undefined ? null : architecture(name);
}

function declared(config: ClipConfig | null): TreeTensor[] {
  if (config === null) return [];
  return Array.from(declaredTensors(config), ([name, shape]) => ({ name, shape, dtype: null, offset: null }));
}

function stored({ store }: Weights): TreeTensor[] {
  return Array.from(store.tensors, ([name, { shape, dtype, offset }]) => ({ name, shape, dtype, offset }));
}

async function allStatistics(
  { store }: Weights,
  terminal: Terminal,
): Promise<Map<string, TensorStatistics | null>> {
  const progress = terminal.progress(store.tensors.size, "tensors");
  try {
    const all = new Map<string, TensorStatistics | null>();
    for (const name of store.tensors.keys()) {
      all.set(name, await tensorStatistics(store, name));
      progress.update(all.size);
    }
    return all;
  } finally {
    progress.stop();
  }
}

const headings = ["min", "max", "mean", "std", "NaN", "inf"];

function statisticsTable(all: ReadonlyMap<string, TensorStatistics | null>): string[] {
  const rows = Array.from(all, ([name, stats]) => ({
    name,
    cells:
      stats === null
        ? headings.map(() => "–")
        : [stats.min, stats.max, stats.mean, stats.std, stats.nan, stats.infinite].map((value, i) =>
            value === null ? "–" : i < 4 ? value.toPrecision(4) : value.toString(),
          ),
  }));
  const table = [{ name: "", cells: headings }, ...rows];
  const wide = headings.map((_, i) => widest(table.map(({ cells }) => cells[i]!)));
  const names = widest([...all.keys()]);
  return table.map(
    ({ name, cells }) =>
      `${fit(name, names)}${cells.map((cell, i) => `  ${cell.padStart(wide[i]!)}`).join("")}`,
  );
}

function summary(tensors: number, parameters: number, flops: Flops | null, options: Options): string[] {
  const lines = ["", `${parameters.toLocaleString("en")} parameters in ${tensors} tensors`];
  if (flops !== null) {
    const { imageSize: size, textLength: length } = options;
    const image = size === undefined ? "" : ` (${size.join(" × ")} pixels)`;
    const text = length === undefined ? "" : ` (${length} tokens)`;
    lines.push(`image ${gigaflops(flops.image)}${image}, text ${gigaflops(flops.text)}${text}`);
  }
  return lines;
}
