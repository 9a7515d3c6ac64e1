/** Steps of contrastive training with a locked image tower: pairs per second, and peak memory, next to open_clip_train. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { elementCount } from "../../lib/tensor/dtype.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { captions, meanLength } from "../captions.ts";
import type { Context } from "../context.ts";
import { packageRoot } from "../result.ts";
import { removeAtExit } from "../scratch.ts";
import type { Row, Table } from "../table.ts";

/** What a process trains. */
export interface TrainChildSettings {
  /** Token ids of the texts of each step. */
  readonly rows: readonly (readonly (readonly number[])[])[];
  /** Features in place of images. */
  readonly isCached: boolean;
  readonly freezesEmbeddings: boolean;
}

const batch = 64;
/** Of a model with more parameters, the embeddings of words stay fixed, and open_clip is not measured: it would take tens of gigabytes. */
const largeModel = 1e9;

interface Reply {
  readonly seconds: readonly number[];
  readonly peak: number;
}

export async function measureTraining(
  context: Context,
  [directory = ""]: readonly string[],
): Promise<Table[]> {
  const { options, model } = context;
  const steps = Math.max(2, options.repeats);
  const texts = await captions(context, batch * steps);
  const rows = Array.from({ length: steps }, (_, i) =>
    texts.slice(i * batch, (i + 1) * batch).map(({ ids }) => ids),
  );
  const store = await openWeights(model.path);
  const parameters = [...store.tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  await store.close();
  const freezesEmbeddings = parameters > largeModel;
  const child = fileURLToPath(new URL("../train-child.js", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-train-"));
  removeAtExit(folder);
  const measured: Row[] = [];
  const measure = (
    program: string,
    images: string,
    command: string,
    args: readonly string[],
    isCached: boolean,
  ): void => {
    context.showStatus(`train: ${program}, ${images}`);
    const file = join(folder, `${measured.length}.json`);
    writeFileSync(file, JSON.stringify({ rows, isCached, freezesEmbeddings } satisfies TrainChildSettings));
    const { seconds, peak } = run(command, [...args, file]);
    const later = seconds.slice(1).sort((a, b) => a - b); // the first step also loads and compiles
    const [fastest = NaN, median = NaN] = [later[0], later[later.length >> 1]];
    measured.push({
      program,
      images,
      perSecond: batch / fastest,
      median: batch / median,
      gigabytes: peak / 1e9,
      steps: later.length,
    });
  };
  for (const backend of options.backend) {
    const program = `clipscope, ${backend}`;
    measure(program, "cached features", process.execPath, [child, directory, backend], true);
    measure(program, "image tower", process.execPath, [child, directory, backend], false);
  }
  if (options.peers && !freezesEmbeddings) {
    const peer = join(packageRoot, "bench/peers/contrastive_step.py");
    measure("open_clip_train", "image tower", options.python, [peer, directory], false);
  }
  const reference = measured.find(({ program }) => program === "open_clip_train")?.["perSecond"];
  const tableRows = measured.map((row) => ({
    ...row,
    ratio: typeof reference === "number" ? (row["perSecond"] as number) / reference : null,
  }));
  return [
    {
      id: "train",
      title: `training step, batch ${batch}, image tower locked${freezesEmbeddings ? ", word embeddings fixed" : ""}`,
      columns: [
        { key: "program", title: "program" },
        { key: "images", title: "images" },
        { key: "perSecond", title: "pairs/s" },
        { key: "median", title: "median" },
        { key: "ratio", title: "× open_clip" },
        { key: "gigabytes", title: "peak GB" },
        { key: "steps", title: "steps" },
      ],
      rows: tableRows,
      legend:
        `captions of natural length, ${meanLength(texts).toFixed(0)} tokens on average, which open_clip pads to its context; ` +
        "pairs/s: of the fastest step; peak GB: of the whole process",
    },
  ];
}

function run(command: string, args: readonly string[]): Reply {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr.trim()}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Reply;
}
