/**
 * Compares decoding and preprocessing with the results of Pillow and open_clip for the same files.
 *
 *     python tools/golden/image_fuzz.py --out DIR
 *     node dist/tools/golden/compare-images.js DIR [sharp]
 *
 * With "sharp", that package decodes JPEG and WebP. Prints a table by format and mode, and every difference. The exit status is 1 if there are any.
 */
import { wasmCodecs, withSharp } from "../../lib/node/images/codecs.ts";
import { loadSharp } from "../../lib/node/images/sharp-decoder.ts";
import { readCases, compareCase, type Difference } from "./image-cases.ts";

const [folder, decoder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: compare-images.js DIR [sharp]");

const sharp = decoder === "sharp" ? await loadSharp() : undefined;
if (decoder === "sharp" && sharp === undefined) throw new Error("sharp is not installed");
const codecs = sharp === undefined ? wasmCodecs() : withSharp(sharp);

const table = new Map<string, { files: number; arrays: number; differing: number; worst: number }>();
let failed = 0;
const cases = await readCases(folder);
for (const item of cases) {
  const key = item.refused === undefined ? `${item.format} ${item.mode}` : "refused by Pillow";
  const row = table.get(key) ?? { files: 0, arrays: 0, differing: 0, worst: 0 };
  table.set(key, row);
  row.files += 1;
  let differences: readonly Difference[];
  try {
    differences = await compareCase(folder, item, codecs);
  } catch (error) {
    if (item.refused === undefined) {
      failed += 1;
      row.differing += 1;
      console.log(`${item.file}: ${String(error)}`);
    }
    continue;
  }
  row.arrays += differences.length;
  for (const { what, worst, where } of differences) {
    row.worst = Math.max(row.worst, worst);
    if (where === undefined) continue;
    failed += 1;
    row.differing += 1;
    console.log(`${item.file} (${item.mode}): ${what}: ${where}`);
  }
}
console.table(Object.fromEntries([...table].sort(([a], [b]) => a.localeCompare(b))));
process.exitCode = failed === 0 ? 0 : 1;
