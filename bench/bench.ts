/**
 * Measures clipscope on this machine: `npm run bench`, or `npm run bench -- --peers` to measure other programs in turn.
 * See bench/README.md for the sections and docs/results/performance.md for figures.
 *
 * Prints tables and writes them, with a description of the machine, to `bench/results/TIME.json`. Absolute figures vary
 * between machines and with other load: compare the figures of one run.
 */
import { demoModel, readModelDirectory } from "../lib/node/models/model-directory.ts";
import { InputError } from "../lib/errors/input-error.ts";
import type { Context } from "./context.ts";
import { fullSizeFolder, writeFullSizeModel } from "./full-size-model.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { parseOptions, type BenchOptions, type SectionName } from "./options.ts";
import { writeResult } from "./result.ts";
import { removeAtExit } from "./scratch.ts";
import { measureBatching } from "./sections/batching.ts";
import { measureCold } from "./sections/cold.ts";
import { measureCollection } from "./sections/collection.ts";
import { countGrowth } from "./sections/growth.ts";
import { measureIndex } from "./sections/index-build.ts";
import { measureLoad } from "./sections/load.ts";
import { measureMemory } from "./sections/memory.ts";
import { measurePrecision } from "./sections/precision.ts";
import { measurePreprocessing } from "./sections/preprocess.ts";
import { measureProbe } from "./sections/probe.ts";
import { measureScale } from "./sections/scale.ts";
import { measureScan } from "./sections/scan.ts";
import { measureServing } from "./sections/serve.ts";
import { measureStudio } from "./sections/studio.ts";
import { measureText } from "./sections/text.ts";
import { measureThroughput } from "./sections/throughput.ts";
import { measureTokenizer } from "./sections/tokenizer.ts";
import { measureTowers } from "./sections/towers.ts";
import { measureTraining } from "./sections/train.ts";
import { terminalTable, type Table } from "./table.ts";

type Section = (context: Context, directories: readonly string[]) => Promise<Table[]>;

const sections: Readonly<Record<SectionName, Section>> = {
  towers: measureTowers,
  precision: measurePrecision,
  text: measureText,
  growth: countGrowth,
  memory: measureMemory,
  load: measureLoad,
  cold: measureCold,
  preprocess: measurePreprocessing,
  throughput: measureThroughput,
  batching: measureBatching,
  scale: measureScale,
  tokenizer: measureTokenizer,
  probe: measureProbe,
  train: measureTraining,
  studio: measureStudio,
  scan: measureScan,
  index: measureIndex,
  collection: measureCollection,
  serve: measureServing,
};

/** Sections that run no network, or the demo model alone. No model is written for them. */
const demoSections: readonly SectionName[] = [
  "preprocess",
  "probe",
  "scale",
  "throughput",
  "batching",
  "scan",
  "collection",
  "serve",
];

/** Sections that compare files in float32 and in half precision. */
const halfSections: readonly SectionName[] = ["memory", "load", "cold"];

async function bench(args: readonly string[], options: BenchOptions): Promise<void> {
  const machine = describeMachine();
  console.log(`${machineLine(machine)}\n`);
  const directories = await modelsFor(options);
  const programs = new Map<string, string>();
  const model = await readModelDirectory(directories[0]!);
  const context: Context = { options, model, programs, showStatus, warn };
  const tables: Table[] = [];
  try {
    for (const name of options.only) {
      for (const table of await sections[name](context, directories)) {
        tables.push(table);
        showStatus("");
        console.log(terminalTable(table));
      }
    }
  } finally {
    // Measuring takes a long time: keep the tables from before an error.
    const result = { machine, arguments: args, programs: Object.fromEntries(programs), tables };
    if (tables.length > 0) console.log(`written to ${await writeResult(result)}`);
  }
}

/** The given model, else synthetic ones: in float32, and in half precision too if a section compares both. */
async function modelsFor(options: BenchOptions): Promise<string[]> {
  if (options.model !== undefined) return [options.model];
  if (options.only.every((name) => demoSections.includes(name))) return [demoModel];
  const wantsHalf = options.only.some((name) => halfSections.includes(name));
  const dtypes = wantsHalf ? (["F32", "F16"] as const) : (["F32"] as const);
  const directories: string[] = [];
  for (const dtype of dtypes) {
    const onProgress = (done: number, total: number): void => {
      showStatus(`synthetic model, ${dtype}: ${((100 * done) / total).toFixed(0)} %`);
    };
    if (!options.keep) removeAtExit(fullSizeFolder({ ...options, dtype }));
    directories.push(await writeFullSizeModel({ ...options, dtype, onProgress }));
  }
  return directories;
}

/** Shows a line on the terminal, in place of the previous one. */
function showStatus(line: string): void {
  const { stderr } = process;
  if (stderr.isTTY) stderr.write(`\r\x1b[K${line.slice(0, stderr.columns - 1)}`);
}

const warnings = new Set<string>();

function warn(line: string): void {
  showStatus("");
  if (!warnings.has(line)) console.error(line);
  warnings.add(line);
}

process.stdout.on("error", () => undefined); // a closed pipe must not stop the result from being written

try {
  const args = process.argv.slice(2);
  const options = parseOptions(args);
  if (options !== null) await bench(args, options);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(`bench: ${error.message}`);
  for (const detail of error.details) console.error(`  ${detail}`);
  process.exitCode = 2;
}
