/**
 * Compares this checkout's image tower on wasm with another checkout's, or with one thread: blocks of the published
 * size with synthetic weights, and the demo model.
 *
 *     node dist/bench/wasm-passes.js [--baseline CHECKOUT] [--rounds 5] [--layers 2]
 *
 * Two processes take turns, so that other load affects both, and the fastest round of each counts. CHECKOUT must be
 * built. Without it, the baseline is this checkout with CLIPSCOPE_THREADS=1.
 */
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Task } from "./wasm-passes-child.ts";

const here = fileURLToPath(new URL("../../", import.meta.url));

export interface WasmRatio extends Task {
  /** Milliseconds of the fastest pass. */
  readonly baseline: number;
  readonly ours: number;
  /** baseline / ours */
  readonly ratio: number;
}

const tasks: readonly Task[] = [
  { model: "blocks", batch: 1 },
  { model: "blocks", batch: 8 },
  { model: "demo", batch: 1 },
  { model: "demo", batch: 8 },
];

/**
 * @param baseline the folder of another checkout; undefined for this one, on one thread
 * @param layers number of blocks of the published size
 */
export async function wasmRatios(
  baseline: string | undefined,
  rounds: number,
  layers: number,
): Promise<WasmRatio[]> {
  const start = (checkout: string, env: NodeJS.ProcessEnv = {}): ChildProcess =>
    fork(join(checkout, "dist/bench/wasm-passes-child.js"), [String(layers)], {
      env: { ...process.env, ...env },
    });
  const ours = start(here);
  const theirs = baseline === undefined ? start(here, { CLIPSCOPE_THREADS: "1" }) : start(baseline);
  try {
    const ratios: WasmRatio[] = [];
    for (const task of tasks) {
      const best = { ours: Infinity, baseline: Infinity };
      for (let round = 0; round <= rounds; round++) {
        const times = { baseline: await ask(theirs, task), ours: await ask(ours, task) };
        if (round === 0) continue; // loads the weights
        best.ours = Math.min(best.ours, times.ours);
        best.baseline = Math.min(best.baseline, times.baseline);
      }
      ratios.push({ ...task, ...best, ratio: best.baseline / best.ours });
    }
    return ratios;
  } finally {
    for (const child of [ours, theirs]) {
      child.removeAllListeners();
      child.kill();
    }
  }
}

function ask(child: ChildProcess, task: Task): Promise<number> {
  return new Promise((resolve, reject) => {
    child.removeAllListeners();
    child.once("message", (time: number) => {
      resolve(time);
    });
    child.once("exit", () => {
      reject(new Error("a child process of the benchmark ended; see its message above"));
    });
    child.send(task);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      baseline: { type: "string" },
      rounds: { type: "string", default: "5" },
      layers: { type: "string", default: "2" },
    },
  });
  const ratios = await wasmRatios(values.baseline, Number(values.rounds), Number(values.layers));
  for (const { model, batch, baseline, ours, ratio } of ratios) {
    const name = model === "demo" ? "demo model" : `${values.layers} blocks of ViT-H/14`;
    console.log(
      `${name}, batch ${batch}`.padEnd(32) +
        `${baseline.toFixed(1)} ms → ${ours.toFixed(1)} ms`.padEnd(28) +
        `${ratio.toFixed(2)} × as fast`,
    );
  }
}
