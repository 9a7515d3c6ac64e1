/**
 * Compares the time of a conversion with the time of copying the file.
 *
 *     node dist/bench/convert.js SOURCE FOLDER [f32|f16|bf16]
 *
 * Copies SOURCE into FOLDER and syncs the copy to the disk, converts SOURCE into FOLDER, and deletes both, six times. Prints
 * the fastest of each, their ratio, the ratio of the medians, and the peak memory of the converting process.
 */
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [source, folder, dtype] = process.argv.slice(2);
if (source === undefined || folder === undefined) {
  throw new Error("usage: node dist/bench/convert.js SOURCE FOLDER [f32|f16|bf16]");
}
const program = fileURLToPath(new URL("../../bin/clipscope.js", import.meta.url));
const peakReport =
  "data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))";

const place = await mkdtemp(join(folder, "bench-convert-"));
const copies: number[] = [];
const conversions: number[] = [];
let peak = 0;
try {
  for (let round = 0; round < 6; round++) {
    copies.push(await seconds(copy));
    conversions.push(await seconds(convert));
  }
} finally {
  await rm(place, { recursive: true, force: true });
}
const size = (await stat(source)).size;
const [copied, converted] = [Math.min(...copies), Math.min(...conversions)];
console.log(`copy     ${copied.toFixed(2)} s (${rate(copied)})`);
console.log(
  `convert  ${converted.toFixed(2)} s (${rate(converted)}), peak memory ${(peak / 1e6).toFixed(0)} MB`,
);
const ofMedians = median(conversions) / median(copies);
console.log(`ratio    ${(converted / copied).toFixed(2)}, of the medians ${ofMedians.toFixed(2)}`);

async function seconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  const end = performance.now();
  for (const name of ["copy", "model"]) await rm(join(place, name), { recursive: true, force: true });
  return (end - start) / 1000;
}

async function copy(): Promise<void> {
  await copyFile(source!, join(place, "copy"));
  const file = await open(join(place, "copy"), "r+");
  await file.sync();
  await file.close();
}

function convert(): Promise<void> {
  const args = ["--import", peakReport, program, "convert", source!, join(place, "model")];
  const { status, stderr } = spawnSync(
    process.execPath,
    dtype === undefined ? args : [...args, "--dtype", dtype],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) return Promise.reject(new Error(stderr));
  peak = Math.max(peak, 1024 * Number(/peak (\d+)/.exec(stderr)?.[1]));
  return Promise.resolve();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function rate(time: number): string {
  return `${(size / time / 1e6).toFixed(0)} MB/s`;
}
