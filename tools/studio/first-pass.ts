/**
 * Writes the pass that the studio shows before its network is loaded: web/public/first-pass.json.
 *
 *     npm run build && node dist/tools/studio/first-pass.js
 *
 * Numbers are rounded to four significant digits, and thumbnails of several rows are left out: the page draws them when it
 * is live.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { demoModel, loadModel } from "../../lib/index.ts";
import { Passes } from "../../lib/studio/passes.ts";
import type { TapSummary } from "../../lib/trace/tap-summary.ts";

export const storedFile = fileURLToPath(new URL("../../../web/public/first-pass.json", import.meta.url));

const image = "three-brown-stars";
const text = "three brown stars";

/** The document, computed now. */
export async function firstPass(): Promise<unknown> {
  const model = await loadModel(demoModel, { backend: "wasm" });
  try {
    const passes = new Passes(model, nodeCodecs());
    const bytes = await readFile(`${demoModel}/samples/${image}.png`);
    const { result: seen } = await passes.image({ key: `s:${image}`, name: image, bytes }, {});
    const { result: read } = await passes.text(text, {});
    const { result: joint } = await passes.joint(seen.trace, read.trace);
    const { rgb } = seen.input;
    return rounded({
      model: await passes.info("Demo model", ""),
      imageKey: `s:${image}`,
      text,
      image: {
        ...seen,
        milliseconds: 0,
        taps: seen.taps.map(small),
        input: { ...seen.input, rgb: Buffer.from(rgb).toString("base64") },
      },
      textPass: { ...read, milliseconds: 0, taps: read.taps.map(small) },
      joint: { ...joint, taps: joint.taps.map(small) },
    });
  } finally {
    await model.dispose();
  }
}

function small(summary: TapSummary): TapSummary {
  if (summary.thumbnail.rows === 1) return summary;
  return { ...summary, thumbnail: { rows: 0, columns: 0, values: [] } };
}

function rounded(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value : Number(value.toPrecision(4));
  if (value instanceof Float32Array) return Array.from(value, rounded);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(storedFile, `${JSON.stringify(await firstPass())}\n`);
}
