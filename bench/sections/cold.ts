/** From the start of a program to its first answer, as a person waits for it. */
import { createReadStream, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { finished } from "node:stream/promises";
import { join } from "node:path";
import { demoModel, findWeights, openWeights } from "../../lib/node/models/model-directory.ts";
import { pytorch, startPeers, stopAll, type Field } from "../field.ts";
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

export async function measureCold(field: Field, directories: readonly string[]): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  const out = join(folder, "features.safetensors");
  const demo = await measured(field, [classify()]);
  const first = await measured(field, [
    ...(await Promise.all(directories.map((directory) => embeds(field, directory, out)))).flat(),
    ...(await openClip(field)),
  ]);
  return [
    {
      id: "cold",
      title: "one image, from the start of the program to its end, files cached, in turn",
      columns: [
        { key: "what", title: "program" },
        { key: "seconds", title: "s" },
        { key: "median", title: "median" },
        { key: "gigabytes", title: "peak, GB" },
        { key: "runs", title: "runs" },
      ],
      rows: [...demo, ...first],
    },
  ];
}

async function measured({ options, note }: Field, runners: readonly Runner<WholeProcess>[]): Promise<Row[]> {
  note(`whole programs: ${runners.map(({ name }) => name).join("; ")}`);
  const figures = await inTurn(runners, { ...options, atLeast: 2 });
  return figures.map(({ seconds, median, runs, reply }, at) => ({
    what: runners[at]!.name,
    seconds,
    median,
    gigabytes: reply.peak / 1e9,
    runs,
  }));
}

function classify(): Runner<WholeProcess> {
  const labels = "red circle,blue square,green star,cerchio rosso,赤い丸,红色圆形";
  const args = ["classify", image, "--labels", labels, "--backend", "wasm", "--model", demoModel];
  return {
    name: "clipscope classify, demo model, wasm",
    run: () => Promise.resolve(nodeProcess(program, ...args)),
  };
}

async function embeds({ options }: Field, directory: string, out: string): Promise<Runner<WholeProcess>[]> {
  const store = await openWeights(directory);
  const { dtype } = store.tensors.get("visual.proj")!;
  await store.close();
  await readThrough(await findWeights(directory));
  return options.backend.map((backend) => {
    const args = ["embed", "--images", image, "--model", directory, "--backend", backend, "--out", out];
    return {
      name: `clipscope embed, ${dtype}, backend ${backend}`,
      run: () => Promise.resolve(nodeProcess(program, ...args)),
    };
  });
}

/** Where Python has it. */
async function openClip(field: Field): Promise<Runner<WholeProcess>[]> {
  const peer = pytorch(field);
  const here = await startPeers(field, [peer]);
  await stopAll(here);
  return here.map(() => ({
    name: "open_clip in Python, the first of these files",
    run: () => Promise.resolve(programProcess(peer.command, [...peer.args, image])),
  }));
}

/** So that the system has it in memory. */
async function readThrough(path: string): Promise<void> {
  await finished(createReadStream(path, { highWaterMark: 2 ** 22 }).resume());
}
