import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeUnseenImages } from "../../../tools/demo-model/unseen-images.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { readFloat32 } from "../../../lib/tensor/store.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Summary {
  readonly out: string;
  readonly epoch: number;
  readonly val_acc1: number | null;
  readonly parameters: number;
  readonly steps: number;
}

describe("clipscope finetune", () => {
  const folder = temporaryFolder();
  const finetune = (...options: readonly string[]): Promise<Result> =>
    clipscope([
      ...["finetune", "--backend", "wasm", "--images", folder.file("train"), ...options],
      ...[
        ["--epochs", "2"],
        ["--batch-size", "8"],
        ["--lr", "1e-3"],
      ].flatMap((one) => (options.includes(one[0]!) ? [] : one)),
    ]);
  const validated = (): string[] => ["--validation", folder.file("validation")];
  const summaryOf = ({ status, stdout, stderr }: Result): Summary => {
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Summary;
  };

  beforeEach(async () => {
    const size = { width: 84, height: 84 } as const;
    await writeUnseenImages({ task: "fill", out: folder.file("train"), count: 4, seed: 1, ...size });
    await writeUnseenImages({ task: "fill", out: folder.file("validation"), count: 2, seed: 2, ...size });
  });

  it("writes a model directory whose other weights are unchanged, and a classifier that commands take", async () => {
    const out = folder.file("tuned");
    const summary = summaryOf(await finetune(...validated(), "--blocks", "1", "--out", out, "--json"));
    assert.deepEqual([summary.out, summary.steps], [out, 4]);
    assert.deepEqual(readdirSync(out).sort(), [
      "head.safetensors",
      "loss.svg",
      "open_clip_config.json",
      "open_clip_model.safetensors",
      "results.jsonl",
      "sentencepiece.bpe.model",
      "settings.json",
      "steps.jsonl",
      "text",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const [before, after] = [await loadModel(fixture("demo-model")), await loadModel(out)];
    let trained = 0;
    for (const name of before.weights.store.tensors.keys()) {
      const old = await readFloat32(before.weights.store, name);
      const tuned = await readFloat32(after.weights.store, name);
      const isTrained = /^visual\.(transformer\.resblocks\.3\.|ln_post\.|proj$)/.test(name);
      if (isTrained) trained += old.length;
      // The bias of the keys has no gradient and begins at any value: weight decay changes it all the same.
      assert.equal(
        old.every((value, i) => Object.is(value, tuned[i])),
        !isTrained,
        name,
      );
    }
    assert.equal(summary.parameters, trained + 4 * 96 + 4);
    await before.dispose();
    await after.dispose();

    const head = join(out, "head.safetensors");
    const image = join(folder.file("validation"), "striped", "000.png");
    const predicted = await clipscope(["probe", "predict", "--model", out, "--probe", head, image, "--json"]);
    assert.deepEqual([predicted.status, predicted.stderr], [0, ""]);
    const other = await clipscope(["probe", "predict", "--probe", head, image]);
    assert.equal(other.status, 2);
    assert.match(other.stderr, /made with another model/);
    const evaluated = await clipscope([
      ...["eval", folder.file("validation"), "--model", out, "--load-clfs", head, "--json"],
    ]);
    assert.equal(evaluated.status, 0, evaluated.stderr);
    const [{ metrics }] = JSON.parse(evaluated.stdout) as [{ metrics: { acc1: number } }];
    assert.ok(Math.abs(metrics.acc1 - summary.val_acc1!) < 1e-9);
  });

  it("writes adapters in peft's layout, which merge folds to the classifier's model", async () => {
    const out = folder.file("adapter");
    summaryOf(
      await finetune(...validated(), "--lora-rank", "2", "--lora-dropout", "0.1", "--out", out, "--json"),
    );
    assert.ok(
      existsSync(join(out, "adapter_config.json")) && existsSync(join(out, "adapter_model.safetensors")),
    );
    const folded = folder.file("folded");
    const merged = await clipscope(["merge", fixture("demo-model"), out, "--out", folded]);
    assert.deepEqual([merged.status, merged.stderr], [0, ""]);
    assert.match(merged.stdout, /alpha 1, 2 tensors changed/); // in_proj_weight of two blocks
    const image = join(folder.file("validation"), "striped", "000.png");
    for (const head of [join(out, "head.safetensors"), join(folded, "head.safetensors")]) {
      const predicted = await clipscope(["probe", "predict", "--model", folded, "--probe", head, image]);
      assert.deepEqual([predicted.status, predicted.stderr], [0, ""]);
    }
  });

  it("refuses the folder of a finished run, and of one with other settings", async () => {
    const out = folder.file("tuned");
    await finetune(...validated(), "--epochs", "1", "--blocks", "0", "--out", out);
    const again = await finetune(...validated(), "--epochs", "1", "--blocks", "0", "--out", out);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /holds a finished run; choose another --out, or delete it/);
    const other = await finetune(
      ...validated(),
      "--epochs",
      "1",
      "--blocks",
      "0",
      "--seed",
      "3",
      "--out",
      out,
    );
    assert.match(other.stderr, /holds a run with other settings \(seed\); repeat the command/);
  });

  it("stops when the loss is not a number, and keeps the best weights so far", async () => {
    const out = folder.file("nan");
    const result = await finetune(
      ...validated(),
      "--lr",
      "1e30",
      "--epochs",
      "3",
      "--warmup",
      "0",
      "--out",
      out,
    );
    assert.equal(result.status, 2);
    assert.match(
      result.stderr,
      /^clipscope: (epoch \d, step \d: the loss is (NaN|Infinity)|\S+ is no longer finite).*lower --lr.*\n$/,
    );
    assert.ok(!existsSync(join(out, "head.safetensors")));
  });

  const refused: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    [
      "fewer images than a batch",
      () => ["--batch-size", "64"],
      /the training images: 16 images, expected at least as many as --batch-size 64; lower it/,
    ],
    ["a warm-up longer than the run", () => ["--warmup", "9"], /--warmup 9: the run has only 4 steps/],
    ["more blocks than there are", () => ["--blocks", "5"], /--blocks 5: the tower has 4 blocks/],
    ["idle options", () => ["--lora-alpha", "2"], /--lora-alpha has no effect without --lora-rank/],
    ["idle options of a loss", () => ["--text-blocks", "1"], /--text-blocks has no effect with --loss ce/],
    [
      "two validation splits",
      () => [...validated(), "--validation-fraction", "0.5"],
      /expected one of --validation, --validation-list and --validation-fraction/,
    ],
    ["unknown modules", () => ["--lora-rank", "2", "--lora-modules", "attn"], /attention, output, mlp/],
  ];
  for (const [title, options, message] of refused) {
    it(`refuses ${title}`, async () => {
      const result = await finetune(...options(), "--out", folder.file("out"));
      assert.equal(result.status, 2);
      assert.match(result.stderr.split("\n").filter((line) => !line.includes("no validation"))[0]!, message);
    });
  }

  it("refuses labels that do not match", async () => {
    cpSync(folder.file("validation", "striped"), folder.file("validation", "wavy"), { recursive: true });
    const unknown = await finetune(...validated(), "--out", folder.file("out"));
    assert.equal(unknown.status, 2);
    assert.match(unknown.stderr, /the class "wavy" is not among the classes of the training images/);
    cpSync(folder.file("train", "solid", "000.png"), folder.file("train", "stray.png"));
    const stray = await finetune("--out", folder.file("out"));
    assert.match(
      stray.stderr,
      /stray\.png is not in a class folder; put the images of each class into a folder/,
    );
  });

  it("refuses an image that cannot be read, and names it", async () => {
    writeFileSync(folder.file("train", "solid", "000.png"), "no image");
    const result = await finetune("--out", folder.file("out"));
    assert.equal(result.status, 2);
    assert.match(result.stderr, /solid\/000\.png.*repair or remove the image/);
  });
});
