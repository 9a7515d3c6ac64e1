/** The memory that `train` announces, against the peak of its process: blocks of the published size, synthetic weights. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFullSizeModel } from "../../../bench/full-size-model.ts";
import { writeFeatures } from "../../../lib/node/features/features-files.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { writeManyPairs } from "../../support/training-run.ts";

describe("the memory of a training run", () => {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-memory-"));
  const file = (name: string): string => join(folder, name);
  const pairs = 32;
  let model: string;

  after(() => {
    rmSync(folder, { recursive: true });
  });

  before(async function () {
    this.timeout(240_000);
    const arch = "xlm-roberta-large-ViT-H-14";
    model = await writeFullSizeModel({ arch, blocks: 4, dtype: "F16", parent: folder });
    copyFileSync(fixture("demo-model/tokenizer.json"), `${model}/tokenizer.json`);
    writeManyPairs(file("pairs.csv"), pairs);
    const width = 1024;
    const values = Float32Array.from({ length: pairs * width }, (_, i) => Math.sin(i * i));
    await writeFeatures(file("features.safetensors"), {
      ...{ values, rows: pairs, width, labels: null, classNames: null, paths: null, metadata: {} },
    });
  });

  const cases: readonly (readonly [title: string, options: readonly string[]])[] = [
    [
      "blocks computed again, two of four trained",
      ["--grad-checkpointing", "--lock-text-unlocked-layers", "3"],
    ],
    ["activations kept, all four trained", ["--lock-text-unlocked-layers", "5"]],
  ];
  for (const [title, options] of cases) {
    it(`is announced within 20 %: ${title}`, async function () {
      this.timeout(240_000);
      const result = await clipscopeProcess([
        ...["train", "--model", model, "--train-data", file("pairs.csv"), "--csv-separator", ","],
        ...["--image-features", file("features.safetensors"), "--lock-image", "--lock-text"],
        ...[
          "--lock-text-freeze-layer-norm",
          "--batch-size",
          "32",
          "--epochs",
          "1",
          "--warmup",
          "0",
          "--workers",
          "0",
        ],
        ...["--logs", file("logs"), "--name", title, "--json", ...options],
      ]);
      assert.equal(result.status, 0, result.stderr);
      const { estimated_memory: estimate, peak_memory: peak } = JSON.parse(result.stdout) as Record<
        string,
        number
      >;
      const ratio = estimate! / peak!;
      console.log(`      estimated ${(estimate! / 1e9).toFixed(2)} GB, peak ${(peak! / 1e9).toFixed(2)} GB`);
      assert.ok(Math.abs(ratio - 1) <= 0.2, `estimated ${estimate}, peak ${peak}: ${ratio.toFixed(2)}`);
    });
  }
});
