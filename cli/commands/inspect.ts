/**
 * `clipscope inspect`: the modules and tensors of a model. Starts no backend, and with `--arch` alone reads no weights.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { declaredTensors, ignoredTensors } from "../../lib/clip/network.ts";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../lib/clip/config/open-clip.ts";
import { countFlops, type Flops } from "../../lib/clip/flops.ts";
import { fitTensors, recognizeArchitecture } from "../../lib/clip/config/recognize.ts";
import { unreadable } from "../../lib/node/files/file-source.ts";
import { exists } from "../../lib/node/files/exists.ts";
import { configName, demoModel, findModel, readModelAt } from "../../lib/node/models/model-directory.ts";
import { findLayout } from "../../lib/node/models/foreign-model.ts";
import {
  findWeights,
  openModelWeights,
  openWeightsFile,
  type Weights,
} from "../../lib/node/models/weights-file.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import { tensorStatistics, type TensorStatistics } from "../../lib/tensor/statistics.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { examples, imageSize, positiveInteger } from "../options/option-values.ts";
import { gigaflops, printable } from "../terminal/format.ts";
import { moduleTree, type TreeTensor } from "../terminal/module-tree.ts";
import { layOutTable, type Column } from "../terminal/table.ts";
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
      "Show the module tree of a model: shapes, parameters, GFLOPs, dtypes, file offsets.\n" +
        "GFLOPs count two operations per multiply-add of the matrix products, for one image and one text.",
    )
    .argument("[path]", "model directory, hf:REPOSITORY or weights file (default: --model)")
    .option("--stats", "read every tensor and show min, max, mean, std, NaN and infinity counts")
    .option("--depth <n>", "show N levels of modules (default: all)", positiveInteger)
    .option(
      "--image-size <pixels>",
      "count GFLOPs at this image size: 336, or 224x448 (height first)",
      imageSize,
    )
    .option("--text-length <tokens>", "count GFLOPs at this text length", positiveInteger)
    .addHelpText(
      "after",
      examples(
        "clipscope inspect --arch xlm-roberta-large-ViT-H-14 --depth 3",
        "clipscope inspect model/ --stats",
        "clipscope inspect open_clip_pytorch_model.bin --json",
      ),
    )
    .action(async (path: string | undefined, _options: unknown, self: Command) => {
      await inspect(path, self.optsWithGlobals(), terminal);
    });
}

interface Subject {
  readonly title: string;
  readonly config: ClipConfig | null;
  readonly weights: Weights | null;
}

async function inspect(path: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { title, config, weights } = await findSubject(path ?? options.model, options.arch);
  try {
    if (options.stats === true && weights === null) {
      throw new InputError(`--stats: ${title} has no weights; pass a model directory or a weights file`);
    }
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
        : statisticsTable(stats, terminal.width);
    terminal.printLines(lines.map(printable));
    terminal.printLines(summary(tensors.length, parameters, flops, options));
    if (config !== null && weights !== null) {
      const { problems, unexpected } = fitTensors(config, weights.store.tensors);
      const misfits = [...problems, ...unexpected.map((name) => `unexpected  ${name}`)];
      terminal.printLines(misfits.map((line) => printable(`does not fit: ${line}`)));
    }
  } finally {
    await weights?.store.close();
  }
}

/** Opens an architecture, a model directory with or without weights, or a weights file. */
async function findSubject(path: string | undefined, arch: string | undefined): Promise<Subject> {
  if (path === undefined && arch !== undefined) {
    return { title: arch, config: await architecture(arch), weights: null };
  }
  const model = await findModel(path ?? demoModel);
  const { path: place, pretrained, hint } = model;
  const kind = await stat(place).catch((error: unknown) => {
    throw unreadable(place, error);
  });
  if (kind.isDirectory()) {
    const isNamed = (arch ?? pretrained) !== undefined || (await exists(join(place, configName)));
    const layout = isNamed ? undefined : await findLayout(place);
    const hasConfig = isNamed || layout !== undefined;
    const config = hasConfig ? (await readModelAt(model, arch)).config : null;
    const file = await findWeights(place, hint, layout).catch((error: unknown) => {
      // A config without weights can be inspected too.
      if (config === null) throw error;
      return null;
    });
    const weights = file === null ? null : await openModelWeights(file, layout);
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
  return terminal.counting(store.tensors.size, "tensors", async (update) => {
    const all = new Map<string, TensorStatistics | null>();
    for (const name of store.tensors.keys()) {
      all.set(name, await tensorStatistics(store, name));
      update(all.size);
    }
    return all;
  });
}

const statisticsColumns: readonly Column[] = [
  { cut: "start" },
  ...["min", "max", "mean", "std", "NaN", "inf"].map((title) => ({ title, align: "right" as const })),
];

function statisticsTable(all: ReadonlyMap<string, TensorStatistics | null>, width: number): string[] {
  const number = (value: number | null): string => value?.toPrecision(4) ?? "–";
  const cells = Array.from(all, ([name, stats]) =>
    stats === null
      ? [name, ...Array<string>(6).fill("–")]
      : [
          name,
          ...[stats.min, stats.max, stats.mean, stats.std].map(number),
          `${stats.nan}`,
          `${stats.infinite}`,
        ],
  );
  const { head, rows } = layOutTable(statisticsColumns, cells, { width });
  return [head, ...rows];
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
