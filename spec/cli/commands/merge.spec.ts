import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { openProbe } from "../../../lib/node/features/probes.ts";
import { readFloat32 } from "../../../lib/tensor/store.ts";
import { writeUnseenImages } from "../../../tools/demo-model/unseen-images.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const base = fixture("demo-model");
const weights = "open_clip_model.safetensors";

describe("clipscope merge", () => {
  const folder = temporaryFolder();
  const merge = (...options: readonly string[]): Promise<Result> =>
    clipscope(["merge", base, folder.file("tuned"), "--backend", "wasm", ...options]);

  beforeEach(async () => {
    const size = { width: 84, height: 84 } as const;
    await writeUnseenImages({ task: "fill", out: folder.file("train"), count: 4, seed: 1, ...size });
    const result = await clipscope([
      ...["finetune", "--backend", "wasm", "--images", folder.file("train"), "--lr", "1e-3", "--epochs", "1"],
      ...["--blocks", "1", "--batch-size", "8", "--out", folder.file("tuned")],
    ]);
    assert.equal(result.status, 0, result.stderr);
  });

  it("measures every alpha, draws them, and writes the best model with its classifier", async () => {
    const out = folder.file("merged");
    const result = await merge(
      ...["--alpha", "0,1", "--validation", folder.file("train")],
      ...["--figures", folder.file("figures"), "--out", out, "--json"],
    );
    assert.deepEqual([result.status, result.stderr], [0, ""]);
    interface Report {
      readonly changed: number;
      readonly alpha: number;
      readonly alphas: readonly { alpha: number; val_acc1: number }[];
    }
    const { alpha, alphas, changed } = JSON.parse(result.stdout) as Report;
    assert.deepEqual(
      alphas.map((one) => one.alpha),
      [0, 1],
    );
    const most = Math.max(...alphas.map(({ val_acc1 }) => val_acc1));
    assert.equal(alphas.find(({ val_acc1 }) => val_acc1 === most)!.alpha, alpha);
    // One block has 12 tensors, ln_post two; proj.
    assert.equal(changed, 15);
    assert.match(
      readFileSync(folder.file("figures", "alpha.svg"), "utf8"),
      /<title>Accuracy against α<\/title>/,
    );
    const image = folder.file("train", "striped", "000.png");
    const head = join(out, "head.safetensors");
    const predicted = await clipscope(["probe", "predict", "--model", out, "--probe", head, image]);
    assert.deepEqual([predicted.status, predicted.stderr], [0, ""]);
  });

  it("is the base at 0, the tuned model at 1, and between them at 0.5, classifiers included", async () => {
    const proj = async (directory: string): Promise<Float32Array> => {
      const file = await SafetensorsFile.open(await FileSource.open(join(directory, weights)));
      const values = await readFloat32(file, "visual.proj");
      await file.close();
      return values;
    };
    const heads: Float32Array[] = [];
    const values: Float32Array[] = [];
    for (const alpha of ["0", "0.5", "1"]) {
      const out = folder.file(`at-${alpha}`);
      const result = await merge("--alpha", alpha, "--out", out);
      assert.deepEqual([result.status, result.stderr], [0, ""]);
      values.push(await proj(out));
      heads.push((await openProbe(join(out, "head.safetensors"))).weight);
    }
    assert.deepEqual(values[0], await proj(base));
    assert.deepEqual(values[2], await proj(folder.file("tuned")));
    assert.deepEqual(heads[2], (await openProbe(folder.file("tuned", "head.safetensors"))).weight);
    for (const [first, middle, last] of [values, heads] as [Float32Array, Float32Array, Float32Array][]) {
      for (const [i, value] of middle.entries()) {
        assert.ok(Math.abs(value - (first[i]! + last[i]!) / 2) <= 1e-6 * Math.abs(value) + 1e-7);
      }
    }
  });

  it("refuses what it cannot do", async () => {
    const nothing = await merge();
    assert.deepEqual([nothing.status, nothing.stdout], [2, ""]);
    assert.match(nothing.stderr, /expected --out, or images to measure with --validation or --reference/);
    const undecided = await merge("--alpha", "0,1", "--out", folder.file("out"));
    assert.match(undecided.stderr, /several values with --out need --validation/);
    const beyond = await merge("--alpha", "1.5", "--out", folder.file("out"));
    assert.match(beyond.stderr, /Expected numbers from 0 to 1/);
    const otherModel = await clipscope([
      ...["merge", base, fixture("training/multilingual"), "--out", folder.file("out")],
    ]);
    assert.equal(otherModel.status, 2);
    assert.match(otherModel.stderr, /expected two models of one architecture|no tensor/);
    const adapter = folder.file("adapter");
    cpSync(fixture("finetune/adapter"), adapter, { recursive: true });
    const foreign = await clipscope(["merge", base, adapter, "--out", folder.file("out")]);
    assert.equal(foreign.status, 2);
    assert.match(foreign.stderr, /does not fit its adapter; it belongs to another model/);
    const twice = await merge("--out", folder.file("tuned"));
    assert.match(twice.stderr, /already exists; use --force to replace it/);
    assert.ok(!existsSync(folder.file("out")));
  });
});
