/** Whole processes: from the start of a program to the end of its first result. */
import { createReadStream, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { finished } from "node:stream/promises";
import { join } from "node:path";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { findWeights, openWeights } from "../../lib/node/models/weights-file.ts";
import { pytorch, startPeers, stopAll, type Context } from "../context.ts";
import { packageRoot } from "../result.ts";
import { inTurn, type Runner } from "../rounds.ts";
import { removeAtExit } from "../scratch.ts";
import type { Row, Table } from "../table.ts";
import { nodeProcess, programProcess, type WholeProcess } from "../whole-process.ts";

const samples = join(demoModel, "samples");
const image = join(
  samples,
  readdirSync(samples).find((name) => name.endsWith(".jpg"))!,
);
const program = join(packageRoot, "bin/clipscope.js");

export async function measureCold(context: Context, directories: readonly string[]): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  const out = join(folder, "features.safetensors");
  const demo = await measured(context, [classify()]);
  const first = await measured(context, [
    ...(await Promise.all(directories.map((directory) => embeds(context, directory, out)))).flat(),
    ...(await openClip(context)),
  ]);
  return [
    {
      id: "cold",
      title: "one image, whole process, files cached",
      columns: [
        { key: "program", title: "program" },
        { key: "what", title: "task" },
        { key: "seconds", title: "s" },
        { key: "median", title: "median" },
        { key: "gigabytes", title: "peak, GB" },
        { key: "runs", title: "runs" },
      ],
      rows: [...demo, ...first],
    },
  ];
}

interface Task extends Runner<WholeProcess> {
  readonly what: string;
}

async function measured({ options, showStatus }: Context, runners: readonly Task[]): Promise<Row[]> {
  showStatus(`whole processes: ${runners.map(({ name, what }) => `${name}, ${what}`).join("; ")}`);
  const figures = await inTurn(runners, { ...options, atLeast: 2 });
  return figures.map(({ seconds, median, runs, reply }, at) => ({
    program: runners[at]!.name,
    what: runners[at]!.what,
    seconds,
    median,
    gigabytes: reply.peak / 1e9,
    runs,
  }));
}

function classify(): Task {
  const labels = "red circle,blue square,green star,cerchio rosso,赤い丸,红色圆形";
  const args = ["classify", image, "--labels", labels, "--backend", "wasm", "--model", demoModel];
  return {
    name: "clipscope, wasm",
    what: "classify",
    run: () => Promise.resolve(nodeProcess(program, ...args)),
  };
}

async function embeds({ options }: Context, directory: string, out: string): Promise<Task[]> {
  const store = await openWeights(directory);
  const { dtype } = store.tensors.get("visual.proj")!;
  await store.close();
  await readThrough(await findWeights(directory));
  return options.backend.map((backend) => {
    const args = ["embed", "--images", image, "--model", directory, "--backend", backend, "--out", out];
    return {
      name: `clipscope, ${backend}`,
      what: `embed, ${dtype}`,
      run: () => Promise.resolve(nodeProcess(program, ...args)),
    };
  });
}

/** open_clip on the first model, if Python has it. */
async function openClip(context: Context): Promise<Task[]> {
  const peer = pytorch(context);
  const here = await startPeers(context, [peer]);
  await stopAll(here);
  return here.map(() => ({
    name: "PyTorch",
    what: "embed, F32",
    run: () => Promise.resolve(programProcess(peer.command, [...peer.args, image])),
  }));
}

/** Brings a file into the system's cache. */
async function readThrough(path: string): Promise<void> {
  await finished(createReadStream(path, { highWaterMark: 2 ** 22 }).resume());
}
