/**
 * Fitting a linear probe against scikit-learn, on the same machine in the same run: 20,000 × 1,024 features, 100 classes.
 * Each fit is a process of its own; the time is the fit's alone, the memory is what the process grew by at most, loading
 * the features included.
 *
 *     node dist/tools/bench/probe.js [--iterations 100] [--rows 20000] [--python python3]
 *
 * scikit-learn runs where the Python named by --python has it.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startNodeBackend } from "../../lib/node/backends.ts";
import { readFeatures, requireLabels, writeFeatures } from "../../lib/probe/features.ts";
import { fitLogisticRegression } from "../../lib/probe/logistic-regression.ts";
import { TorchRandom } from "../../lib/probe/torch-random.ts";
import { parseBackendChoice } from "../../lib/tensor/backend.ts";

const width = 1024;
const classes = 100;
/** So weak a penalty that scikit-learn, which stops where float32 shows no progress, goes on for 100 iterations. */
const C = 10;

interface Figures {
  readonly iterations: number;
  readonly seconds: number;
  readonly mebibytes: number;
}

const { values: options } = parseArgs({
  options: {
    iterations: { type: "string", default: "100" },
    rows: { type: "string", default: "20000" },
    python: { type: "string", default: "python3" },
    fit: { type: "string" },
    backend: { type: "string", default: "auto" },
  },
});

/** Noise round a centre for each class, in columns of scales from 0.03 to 1: classes that overlap, as real ones do. */
async function writeRandom(path: string, rows: number): Promise<void> {
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

/** What the child process does: fits, and prints its figures. */
async function fit(path: string): Promise<Figures> {
  await startNodeBackend(parseBackendChoice(options.backend));
  const before = process.memoryUsage().rss;
  const features = requireLabels(await readFeatures(path));
  const start = performance.now();
  const maxIterations = Number(options.iterations);
  const { iterations } = fitLogisticRegression(features, { C, maxIterations, tolerance: 0 });
  const seconds = (performance.now() - start) / 1000;
  return { iterations, seconds, mebibytes: process.resourceUsage().maxRSS / 1024 - before / 2 ** 20 };
}

const python = `
import json, resource, sys, time, warnings
import numpy as np
from sklearn.linear_model import LogisticRegression
warnings.simplefilter("ignore")
path, iterations, C = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(path, "rb") as file:
    size = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(size))
    data = file.read()
def tensor(name, dtype):
    begin, end = header[name]["data_offsets"]
    return np.frombuffer(data[begin:end], dtype).reshape(header[name]["shape"])
features, labels = tensor("features", np.float32), tensor("labels", np.int64)
del data
model = LogisticRegression(C=C, tol=0, max_iter=iterations)
start = time.perf_counter()
model.fit(features, labels)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"iterations": int(model.n_iter_[0]), "seconds": seconds, "mebibytes": (peak - before) / 1024}))
`;

function figuresOf(command: string, args: readonly string[]): Figures | null {
  const { status, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return status === 0 ? (JSON.parse(stdout) as Figures) : null;
}

function report(title: string, figures: Figures | null): void {
  const text =
    figures === null
      ? "cannot run here"
      : `${figures.iterations} iterations  ${figures.seconds.toFixed(1).padStart(7)} s  ${figures.mebibytes.toFixed(0).padStart(5)} MiB`;
  console.log(`${title.padEnd(28)} ${text}`);
}

async function main(): Promise<void> {
  const rows = Number(options.rows);
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  try {
    const path = join(folder, "features.safetensors");
    await writeRandom(path, rows);
    const mebibytes = (4 * rows * width) / 2 ** 20;
    console.log(
      `logistic regression, ${rows} × ${width} features (${mebibytes.toFixed(0)} MiB), ${classes} classes`,
    );
    report("scikit-learn", figuresOf(options.python, ["-c", python, path, options.iterations, `${C}`]));
    for (const backend of ["tensorflow", "wasm"]) {
      const script = fileURLToPath(import.meta.url);
      const args = [script, "--fit", path, "--backend", backend, "--iterations", options.iterations];
      report(`clipscope, ${backend}`, figuresOf(process.execPath, args));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (options.fit === undefined) await main();
else console.log(JSON.stringify(await fit(options.fit)));
