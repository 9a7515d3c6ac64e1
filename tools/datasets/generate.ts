/**
 * Writes small datasets in every layout that `clipscope eval` reads. The images and captions are those of the demo
 * model's world, so that the demo model gives meaningful results.
 *
 *   node dist/tools/datasets/generate.js --out DIR [--count 64] [--seed 1] [--only NAME]...
 */
import { parseArgs } from "node:util";
import { InputError } from "../../lib/errors/input-error.ts";
import { writeDatasets } from "./write-datasets.ts";

try {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      count: { type: "string", default: "64" },
      seed: { type: "string", default: "1" },
      only: { type: "string", multiple: true },
    },
  });
  const { out, count, seed, only } = values;
  if (out === undefined) throw new InputError("expected --out DIR, the folder to write to");
  const written = await writeDatasets({
    out,
    count: Number(count),
    seed: Number(seed),
    ...(only === undefined ? {} : { only }),
  });
  const width = Math.max(...written.map(({ folder }) => folder.length));
  for (const { folder, layout } of written) console.log(`${folder.padEnd(width)}  ${layout}`);
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(`generate: ${error.message}`);
  process.exitCode = 2;
}
