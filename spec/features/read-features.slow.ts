/** Features of more than 4 GiB, the largest buffer of Node 20. The file is sparse: only its first and last rows are stored. */
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { bytesOf, encodeHead } from "../../lib/features/features-file.ts";
import { SearchableFeatures } from "../../lib/features/search-features.ts";
import { saveProbe } from "../../lib/node/features/probes.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { Probe } from "../../lib/probe/probe.ts";
import { clipscopeProcess } from "../support/cli.ts";
import { peakMemory, reportingPeak } from "../support/peak-memory.ts";
import { temporaryFolder } from "../support/temporary.ts";

const width = 1024;
const rows = 1_100_000;
const featureBytes = 4 * width * rows;

/** The last row; all others are zeros, but for the first. */
const last = Float32Array.from({ length: width }, (_, i) => Math.sin(i));

describe("features of more than 4 GiB", function () {
  this.timeout(10 * 60_000);
  const folder = temporaryFolder();
  let features: string;

  beforeEach(() => {
    features = folder.file("features.safetensors");
    const labels = new Array<number>(rows).fill(0);
    labels[rows - 1] = 1;
    const paths = { length: rows, [Symbol.iterator]: () => pathsOfRows() };
    const file = openSync(features, "w");
    let size = 0;
    for (const part of encodeHead(rows, width, { labels, classNames: ["a", "b"], paths }, {}))
      size += writeSync(file, part);
    writeSync(file, bytesOf(new Float32Array(width).fill(-1)), 0, 4 * width, size);
    writeSync(file, bytesOf(last), 0, 4 * width, size + featureBytes - 4 * width);
    closeSync(file);
  });

  it("are searched", async () => {
    const file = await SearchableFeatures.open(await FileSource.open(features));
    const [best] = await file.search(last, 1);
    await file.close();
    assert.equal(best!.path, `${rows - 1}.png`);
    assert.ok(Math.abs(best!.similarity - 1) < 1e-6);
  });

  it("are evaluated and classified, with one copy of them in memory", async () => {
    const probe = folder.file("probe.safetensors");
    const weight = Float32Array.from([...last.map((value) => -value), ...last]);
    // The probe was fitted on normalised features, and these are not: the rows are normalised a block at a time.
    const parts = { name: "", weight, bias: Float32Array.of(0.1, 0), metadata: { normalized: "true" } };
    await saveProbe(new Probe({ ...parts, classNames: ["a", "b"] }), probe);
    const csv = folder.file("predictions.csv");
    const steps: [command: string, args: string[]][] = [
      ["eval", ["--json"]],
      ["predict", ["--out", csv]],
    ];
    for (const [command, more] of steps) {
      const args = ["probe", command, "--features", features, "--probe", probe, ...more];
      const { status, stdout, stderr } = await clipscopeProcess(args, { nodeArgs: reportingPeak });
      assert.equal(status, 0, stderr);
      if (command === "eval") assert.equal((JSON.parse(stdout) as { lp_acc1: number }).lp_acc1, 1);
      const above = peakMemory(stderr) - featureBytes;
      console.log(`      probe ${command}: ${(above / 1e6).toFixed()} MB above the features`);
      assert.ok(above < 600e6, `probe ${command}: ${above} bytes above the features`);
    }
    const end = new RegExp(`\\n${rows - 1}\\.png,b,[\\d.e-]+,[\\d.]+\\r?\\n$`);
    assert.match(readFileSync(csv, "latin1").slice(-100), end);
  });
});

function* pathsOfRows(): Generator<string, void, undefined> {
  for (let i = 0; i < rows; i++) yield `${i}.png`;
}
