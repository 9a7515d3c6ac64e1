/**
 * `index build` from WebDataset shards: its rate beside that of the image tower alone, and the demo model's rate and memory
 * while the number of rows grows tenfold.
 */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { link } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { writeTar, type TarFile } from "../../spec/support/write-tar.ts";
import type { Context } from "../context.ts";
import type { BuiltPartition } from "../index-child.ts";
import { noiseJpegs } from "../noise-images.ts";
import { removeAtExit } from "../scratch.ts";
import type { Row, Table } from "../table.ts";

const child = fileURLToPath(new URL("../index-child.js", import.meta.url));

/** The first partition is not measured: it loads the weights. */
const towerPartitions = 4;
const towerImages = 16;

const fewRows = 10_000;
const growth = 10;
const shardImages = 1000;
const differentImages = 50;

interface Run {
  readonly model: string;
  readonly backend: string;
  readonly shards: readonly string[];
  /** Passes of the tower before each partition. */
  readonly passes: number;
  readonly onPartition: (done: number) => void;
}

export async function measureIndex(context: Context, directories: readonly string[]): Promise<Table[]> {
  return [await measureRate(context, directories[0]!), await measureGrowth(context)];
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  return folder;
}

/** Shards of the same images: one file with several names. */
async function writeShards(count: number, images: number, shrink: number): Promise<string[]> {
  const folder = newFolder();
  const jpegs = await noiseJpegs(Math.min(images, differentImages), shrink);
  const files = Array.from({ length: images }, (_, i): TarFile[] => {
    const key = `${i}`.padStart(6, "0");
    return [
      [`${key}.jpg`, jpegs[i % jpegs.length]!],
      [`${key}.txt`, `noise ${i}`],
      [`${key}.json`, JSON.stringify({ key, url: `http://example.com/${i}.jpg`, width: 640 / shrink })],
    ];
  }).flat();
  const shards = Array.from({ length: count }, (_, i) => join(folder, `${`${i}`.padStart(5, "0")}.tar`));
  writeTar(shards[0]!, files);
  for (const shard of shards.slice(1)) await link(shards[0]!, shard);
  return shards;
}

async function build({ model, backend, shards, passes, onPartition }: Run): Promise<BuiltPartition[]> {
  const args = [child, model, backend, join(newFolder(), "index"), String(passes), ...shards];
  const program = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const status = new Promise<number | null>((resolve, reject) => {
    program.on("error", reject);
    program.on("close", resolve);
  });
  const built: BuiltPartition[] = [];
  for await (const line of createInterface({ input: program.stdout })) {
    built.push(JSON.parse(line) as BuiltPartition);
    onPartition(built.length);
  }
  if ((await status) !== 0) throw new Error("building an index failed");
  return built;
}

async function measureRate({ options, showStatus }: Context, model: string): Promise<Table> {
  const shards = await writeShards(towerPartitions, towerImages, 1);
  const rows: Row[] = [];
  for (const backend of options.backend) {
    const built = await build({
      ...{ model, backend, shards },
      passes: towerImages / 8,
      onPartition: (done) => {
        showStatus(`index on ${backend}: partition ${done} of ${towerPartitions}`);
      },
    });
    const measured = built.slice(1);
    const best = (values: readonly number[]): number => Math.max(...values);
    const rate = best(measured.map(({ rows: images, seconds }) => images / seconds));
    const tower = best(measured.map((partition) => partition.tower ?? 0));
    rows.push({
      program: `clipscope, ${built[0]!.backend}`,
      tower,
      rate,
      share: rate / tower,
      ...medians(measured),
    });
  }
  return {
    id: "index",
    title: `index build from shards of ${towerImages} JPEGs of 640 × 480, and the image tower alone`,
    columns: [
      { key: "program", title: "program" },
      { key: "tower", title: "tower alone, images/s" },
      { key: "rate", title: "index build, images/s" },
      { key: "share", title: "×" },
      { key: "median", title: "× (median)" },
    ],
    rows,
    legend: `both in turn, ${towerPartitions - 1} times; the fastest of each; ×: the rate beside that of the tower; median: of the ratios of neighbours`,
  };
}

function medians(partitions: readonly BuiltPartition[]): Row {
  const ratios = partitions.map(({ rows, seconds, tower }) => rows / seconds / (tower ?? NaN));
  return { median: ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]! };
}

async function measureGrowth({ options, showStatus }: Context): Promise<Table> {
  const count = (growth * fewRows) / shardImages;
  const small = await writeShards(count, shardImages, 4);
  const large = await writeShards(fewRows / shardImages, shardImages, 1);
  const rows: Row[] = [];
  for (const backend of options.backend) {
    for (const [title, shards] of [
      ["640 × 480", large],
      ["160 × 120", small],
    ] as const) {
      const built = await build({
        ...{ model: demoModel, backend, shards, passes: 0 },
        onPartition: (done) => {
          showStatus(`index on ${backend}, ${title}: shard ${done} of ${shards.length}`);
        },
      });
      const few = built.slice(0, fewRows / shardImages);
      const last = built.at(-1)!;
      const rate = (some: readonly BuiltPartition[]): number =>
        some.reduce((sum, partition) => sum + partition.rows, 0) /
        some.reduce((sum, partition) => sum + partition.seconds, 0);
      const isGrowth = shards.length > few.length;
      rows.push({
        program: `clipscope, ${built[0]!.backend}`,
        images: title,
        rows: built.reduce((sum, partition) => sum + partition.rows, 0),
        rate: rate(built),
        fastest: Math.max(...built.map((partition) => rate([partition]))),
        few: few.at(-1)!.memory / 1e6,
        many: isGrowth ? last.memory / 1e6 : null,
        peakFew: few.at(-1)!.peak / 1e6,
        peakMany: isGrowth ? last.peak / 1e6 : null,
      });
    }
  }
  return {
    id: "index-growth",
    title: `index build from shards of ${shardImages} JPEGs, demo model`,
    columns: [
      { key: "program", title: "program" },
      { key: "images", title: "images" },
      { key: "rows", title: "rows" },
      { key: "rate", title: "images/s" },
      { key: "fastest", title: "fastest shard" },
      { key: "few", title: `MB, ${fewRows} rows` },
      { key: "many", title: `MB, ${growth * fewRows}` },
      { key: "peakFew", title: `peak MB, ${fewRows}` },
      { key: "peakMany", title: `peak MB, ${growth * fewRows}` },
    ],
    rows,
  };
}
