/**
 * Fitting a linear probe, compared with scikit-learn: 20,000 × 1,024 features, 100 classes, 100 iterations. Each fit
 * runs in its own process. The time covers the fit alone; the memory is the peak growth of the process, including the
 * features.
 *
 * Evaluating a probe at ImageNet's size, 50,000 × 1,024 features and 1,000 classes, compared with the product alone.
 */
import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { writeFeatures } from "../../lib/node/features/features-files.ts";
import { TorchRandom } from "../../lib/tensor/torch-random.ts";
import type { Context } from "../context.ts";
import { packageRoot } from "../result.ts";
import { inTurn, type Runner } from "../rounds.ts";
import { removeAtExit } from "../scratch.ts";
import type { Table } from "../table.ts";

const rows = 20_000;
const width = 1024;
const classes = 100;
const iterations = 100;
/** The penalty is weak enough that scikit-learn, which stops once float32 shows no progress, runs all iterations. */
const C = 10;

interface Figures {
  readonly program: string;
  readonly version: string;
  readonly iterations: number;
  readonly seconds: number;
  readonly bytes: number;
}

export async function measureProbe(context: Context): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  return [await measureFit(context, folder), await measureEvaluation(context, folder)];
}

async function measureFit(context: Context, folder: string): Promise<Table> {
  const { options, programs, showStatus } = context;
  const path = join(folder, "features.safetensors");
  await writeRandom(path, rows, classes);
  const child = fileURLToPath(new URL("../probe-fit-child.js", import.meta.url));
  const fit = [path, `${iterations}`, `${C}`];
  const runners = options.backend.map((backend) => runner(process.execPath, [child, ...fit, backend]));
  const theirs = [join(packageRoot, "bench/peers/scikit_learn.py"), ...fit];
  if (options.peers && (await hasScikitLearn(context))) runners.push(runner(options.python, theirs));
  showStatus(`probe: ${runners.length} fits of ${iterations} iterations`);
  const measured = await inTurn(runners, { ...options, atLeast: 1 });
  for (const { reply } of measured) programs.set(reply.program, reply.version);
  return {
    id: "probe",
    title: `fit a linear probe to ${rows} × ${width} features of ${classes} classes`,
    columns: [
      { key: "program", title: "program" },
      { key: "iterations", title: "iterations" },
      { key: "seconds", title: "s" },
      { key: "ratio", title: "time ×" },
      { key: "memory", title: "memory, × features" },
      { key: "runs", title: "runs" },
    ],
    rows: measured.map(({ seconds, reply, runs }) => ({
      program: reply.program,
      iterations: reply.iterations,
      seconds,
      ratio: seconds / measured[0]!.seconds,
      memory: reply.bytes / (4 * rows * width),
      runs,
    })),
    legend: "memory: peak growth of the process, including the features",
  };
}

const evaluated = { rows: 50_000, classes: 1000 };

interface EvaluationFigures extends Pick<Figures, "program" | "version" | "seconds" | "bytes"> {
  readonly productSeconds: number;
}

async function measureEvaluation({ options, programs, showStatus }: Context, folder: string): Promise<Table> {
  const path = join(folder, "evaluated.safetensors");
  await writeRandom(path, evaluated.rows, evaluated.classes);
  const child = fileURLToPath(new URL("../probe-eval-child.js", import.meta.url));
  const runners = options.backend.map((backend) =>
    runner<EvaluationFigures>(process.execPath, [child, path, `${evaluated.classes}`, backend]),
  );
  showStatus(`probe: ${runners.length} evaluations`);
  const measured = await inTurn(runners, { ...options, atLeast: 1 });
  for (const { reply } of measured) programs.set(reply.program, reply.version);
  return {
    id: "probe-evaluation",
    title: `evaluate a probe of ${evaluated.classes} classes on ${evaluated.rows} × ${width} features`,
    columns: [
      { key: "program", title: "program" },
      { key: "seconds", title: "s" },
      { key: "product", title: "product alone, s" },
      { key: "megabytes", title: "memory, MB" },
      { key: "runs", title: "runs" },
    ],
    rows: measured.map(({ seconds, reply, runs }) => ({
      program: reply.program,
      seconds,
      product: reply.productSeconds,
      megabytes: reply.bytes / 1e6,
      runs,
    })),
    legend: "memory: peak growth of the process, above the size of the features",
  };
}

const execute = promisify(execFile);

function runner<Reply extends { readonly seconds: number } = Figures>(
  command: string,
  args: readonly string[],
): Runner<Reply> {
  return {
    name: command,
    run: async () => JSON.parse((await execute(command, args)).stdout) as Reply,
  };
}

async function hasScikitLearn({ options, warn }: Context): Promise<boolean> {
  try {
    await execute(options.python, ["-c", "import sklearn"]);
    return true;
  } catch {
    warn("scikit-learn: not found; pip install scikit-learn, and name that Python with --python");
    return false;
  }
}

/** Noise around a centre per class, in columns of scales from 0.03 to 1, so that classes overlap as real ones do. */
async function writeRandom(path: string, rows: number, classes: number): Promise<void> {
  const random = new TorchRandom(0);
  const centres = random.uniform(classes * width, 0.1);
  const scales = random.uniform(width, 0.75).map((exponent) => 10 ** (exponent - 0.75));
  const values = random.uniform(rows * width, 1.7);
  const labels = Array.from({ length: rows }, (_, row) => row % classes);
  for (let i = 0; i < values.length; i++) {
    const column = i % width;
    const centre = centres[labels[Math.floor(i / width)]! * width + column]!;
    values[i] = (values[i]! + centre) * scales[column]!;
  }
  await writeFeatures(path, { values, rows, width, labels, classNames: null, paths: null, metadata: {} });
}
