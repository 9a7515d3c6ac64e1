import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { clipscope, type Result } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { trainArguments, writePairs, type Options } from "../../support/training-run.ts";
import { openCheckpoint } from "../../../lib/node/train/model.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { readFloat32 } from "../../../lib/tensor/store.ts";

describe("clipscope train", () => {
  const folder = temporaryFolder();
  const train = (options: Options = {}, ...others: readonly string[]): Promise<Result> =>
    clipscope([...trainArguments(folder.file("pairs.csv"), folder.file("logs"), options), ...others]);
  const inRun = (...parts: readonly string[]): string => folder.file("logs", "run", ...parts);
  const lines = (...parts: readonly string[]): Record<string, number>[] =>
    readFileSync(inRun(...parts), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, number>);

  const checkpoints = (): string[] =>
    readdirSync(inRun("checkpoints"))
      .filter((name) => name.endsWith(".pt"))
      .sort();

  beforeEach(() => {
    writePairs(folder.file("pairs.csv"));
  });

  it("writes open_clip's files: checkpoints, results, parameters, and the loss of each step", async () => {
    const result = await train({ "val-data": folder.file("pairs.csv") }, "--json");
    assert.deepEqual([result.status, result.stderr], [0, ""]);
    const summary = JSON.parse(result.stdout) as { checkpoint: string; steps: number; results: object[] };
    assert.equal(summary.checkpoint, inRun("checkpoints", "epoch_2.pt"));
    assert.deepEqual([summary.steps, summary.results.length], [6, 2]);
    assert.deepEqual(readdirSync(inRun()).sort(), [
      "checkpoints",
      "loss.svg",
      "out.log",
      "params.txt",
      "steps.jsonl",
    ]);
    assert.deepEqual(checkpoints(), ["epoch_1.pt", "epoch_2.pt"]);
    const converted = await clipscope(["convert", inRun("checkpoints", "epoch_2.pt"), folder.file("model")]);
    assert.deepEqual([converted.status, converted.stderr], [0, ""]);
    assert.deepEqual(
      lines("steps.jsonl").map(({ step, epoch }) => [step, epoch]),
      [1, 2, 3, 4, 5, 6].map((step) => [step, step <= 3 ? 1 : 2]),
    );
    assert.deepEqual(Object.keys(lines("checkpoints", "results.jsonl")[1]!), [
      ...["image_to_text", "text_to_image"].flatMap((name) =>
        ["mean_rank", "median_rank", "R@1", "R@5", "R@10"].map((figure) => `${name}_${figure}`),
      ),
      ...["clip_val_loss", "epoch", "num_samples"],
    ]);
    assert.match(readFileSync(inRun("params.txt"), "utf8"), /^batchSize: 2$/m);
    assert.match(readFileSync(inRun("loss.svg"), "utf8"), /<title>Loss by step<\/title>/);
  });

  it("continues a run with the same bytes as a run without the stop", async () => {
    const validated = { "val-data": folder.file("pairs.csv") };
    await train(validated);
    const names = [
      ["steps.jsonl"],
      ["loss.svg"],
      ["checkpoints", "results.jsonl"],
      ["checkpoints", "epoch_2.pt"],
    ];
    const undisturbed = names.map((parts) => readFileSync(inRun(...parts)));
    // As after a kill in the second epoch.
    rmSync(inRun("checkpoints", "epoch_2.pt"));
    const result = await train({ ...validated, resume: "latest" });
    assert.deepEqual([result.status, result.stderr], [0, ""]);
    for (const [i, parts] of names.entries()) {
      assert.ok(undisturbed[i]!.equals(readFileSync(inRun(...parts))), parts.join("/"));
    }
    const again = await train({ ...validated, resume: "latest" });
    assert.deepEqual([again.status, again.stderr], [0, ""]);
    assert.match(again.stdout, /all epochs are done already/);
  });

  it("with --lock-image and cached features, changes the text tower and the logit scale alone", async () => {
    const result = await train({ "lock-image": true, "cache-image-features": true });
    assert.deepEqual([result.status, result.stderr], [0, ""]);
    const after = await openCheckpoint(inRun("checkpoints", "epoch_2.pt"));
    const original = await loadModel(fixture("demo-model"));
    for (const name of after.weights.tensors.keys()) {
      const [old, changed] = [
        await readFloat32(original.weights.store, name),
        await readFloat32(after.weights, name),
      ];
      const isSame = Buffer.from(old.buffer, old.byteOffset, old.byteLength).equals(
        Buffer.from(changed.buffer, changed.byteOffset, changed.byteLength),
      );
      assert.equal(isSame, name.startsWith("visual."), name);
    }
    await after.close();
    await original.dispose();
    assert.ok(existsSync(inRun("image-features.safetensors")));
  });

  it("uses one of several cached crops in each epoch, also when it continues", async () => {
    const views: Options = {
      ...{ "lock-image": true, "cache-image-features": true, "image-views": "2", epochs: "3" },
      ...{ "train-num-samples": "4", "aug-cfg": "scale=(0.3,0.6)", workers: "0" },
    };
    const result = await train(views, "--json");
    assert.deepEqual([result.status, result.stderr], [0, ""]);
    assert.equal((JSON.parse(result.stdout) as { steps: number }).steps, 6); // 4 of 6 pairs in batches of 2
    const [first, second] = ["1", "2"].map((view) =>
      readFileSync(inRun(`image-features-view-${view}.safetensors`)),
    );
    assert.notDeepEqual(first, second);
    const undisturbed = readFileSync(inRun("checkpoints", "epoch_3.pt"));
    // As after a kill in the third epoch.
    rmSync(inRun("checkpoints", "epoch_3.pt"));
    rmSync(inRun("image-features-view-2.safetensors"));
    assert.equal((await train({ ...views, resume: "latest" })).status, 0);
    assert.deepEqual(readFileSync(inRun("checkpoints", "epoch_3.pt")), undisturbed);
    assert.deepEqual(readFileSync(inRun("image-features-view-2.safetensors")), second);
    const other = await train({ ...views, resume: "latest", "aug-cfg": null });
    assert.equal(other.status, 2);
    assert.match(other.stderr, /holds other crops or images than this run's/);
  });

  it("stops when the loss is not a number, says where, and keeps the last good checkpoint", async () => {
    await train({ epochs: "1", warmup: "0" });
    const good = readFileSync(inRun("checkpoints", "epoch_1.pt"));
    const result = await train({ resume: "latest", epochs: "3", lr: "1e30" });
    assert.equal(result.status, 2);
    assert.match(
      result.stderr,
      /^clipscope: epoch 2, step [56]: the loss is NaN; lower --lr, .*; the last good checkpoint is .*epoch_1\.pt\n$/,
    );
    assert.deepEqual(checkpoints(), ["epoch_1.pt"]);
    assert.ok(good.equals(readFileSync(inRun("checkpoints", "epoch_1.pt"))));
  });

  it("writes no checkpoint with weights that are not finite", async () => {
    const result = await train({ epochs: "1", warmup: "0", "batch-size": "6", lr: "1e39" });
    assert.equal(result.status, 2);
    assert.match(
      result.stderr,
      /^clipscope: \S+ has become -?(NaN|Infinity); no checkpoint is written; lower --lr, .*\n$/,
    );
    assert.deepEqual(checkpoints(), []);
  });

  const refused: readonly (readonly [title: string, options: Options, message: RegExp])[] = [
    ["a warm-up longer than the run", { warmup: "10000" }, /--warmup 10000: the run has only 6 steps/],
    [
      "fewer pairs than a batch",
      { "batch-size": "7" },
      /6 pairs, expected at least as many as --batch-size 7; lower it/,
    ],
    ["fewer pairs than a step", { "accum-freq": "4" }, /--batch-size 2 times --accum-freq 4; lower it/],
    [
      "a column that is missing",
      { "csv-caption-key": "caption" },
      /--csv-caption-key caption: no such column among "filepath", "title"/,
    ],
    ["another separator", { "csv-separator": ";" }, /no such column among "filepath,title"/],
    [
      "cached features of a trained tower",
      { "cache-image-features": true },
      /--cache-image-features: requires --lock-image/,
    ],
    [
      "crops larger than the image",
      { "aug-cfg": "scale=(0.5,1.5)" },
      /expected the smallest and the largest share/,
    ],
    ["augmentations of timm", { "aug-cfg": "ratio=(0.5,2)" }, /open_clip uses ratio with timm alone/],
    [
      "colour jitter without its probability",
      { "aug-cfg": "color_jitter=(1,1,1,0)" },
      /color_jitter_prob together/,
    ],
    ["more samples than there are", { "train-num-samples": "7" }, /pairs\.csv has 6 pairs; lower it/],
    [
      "views that are not cached",
      { "lock-image": true, "image-views": "2" },
      /requires --cache-image-features/,
    ],
    [
      "a cooldown without its length",
      { "lr-scheduler": "const-cooldown" },
      /expected --epochs-cooldown from 1 to 2, found none/,
    ],
    [
      "a checkpoint of another architecture",
      { resume: fixture("training/full-resume.pt") },
      /full-resume\.pt: \d+ tensors do not fit the architecture/,
    ],
    [
      "weights in place of a checkpoint",
      { resume: fixture("demo-model/open_clip_model.safetensors") },
      /open_clip_model\.safetensors: not a PyTorch file/,
    ],
  ];
  for (const [title, options, message] of refused) {
    it(`refuses ${title}, in one line and without a checkpoint`, async () => {
      const result = await train(options);
      assert.equal(result.status, 2, result.stdout);
      assert.match(result.stderr, message);
      assert.ok(result.stderr.startsWith("clipscope: "), result.stderr);
      assert.equal(existsSync(inRun("checkpoints", "epoch_1.pt")), false);
    });
  }

  it("refuses images that do not exist before it trains", async () => {
    writeFileSync(folder.file("pairs.csv"), "filepath,title\nmissing.png,a cat\nalso-missing.png,a dog\n");
    const result = await train();
    assert.equal(result.status, 2);
    assert.match(
      result.stderr,
      /pairs\.csv: 2 of 2 images do not exist; paths are relative to the current folder/,
    );
  });

  it("refuses a name that holds a run already", async () => {
    await train({ epochs: "1", warmup: "0" });
    const result = await train();
    assert.equal(result.status, 2);
    assert.match(result.stderr, /holds a run already; continue it with --resume latest/);
  });
});
