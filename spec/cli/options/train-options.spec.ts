import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { addTrainOptions } from "../../../cli/options/train-options.ts";
import { packageRoot } from "../../support/paths.ts";

/** All options of open_clip_train 3.3.0. Source: open_clip_train/params.py. */
const openClipOptions = (
  "accum-freq aug-cfg batch-size beta1 beta2 cache-dir coca-caption-loss-weight " +
  "coca-contrastive-loss-weight copy-codebase csv-caption-key csv-img-key csv-separator " +
  "dataset-resampled dataset-type ddp-static-graph debug delete-previous-checkpoint device " +
  "dist-backend dist-url distill-model distill-pretrained epochs epochs-cooldown eps " +
  "force-context-length force-custom-text force-image-size force-patch-dropout force-quick-gelu " +
  "gather-with-grad grad-checkpointing grad-clip-norm horovod image-interpolation image-mean " +
  "image-resize-mode image-std imagenet-v2 imagenet-val local-loss lock-image " +
  "lock-image-freeze-bn-stats lock-image-unlocked-groups lock-text lock-text-freeze-layer-norm " +
  "lock-text-unlocked-layers log-every-n-steps log-local logs loss-dist-impl lr lr-cooldown-end " +
  "lr-cooldown-power lr-scheduler model momentum name no-set-device-rank opt precision pretrained " +
  "pretrained-image remote-sync remote-sync-frequency remote-sync-protocol report-to resume " +
  "save-frequency save-most-recent seed siglip skip-scheduler torchcompile torchscript trace " +
  "train-data train-data-upsampling-factors train-num-samples use-bn-sync use-bnb-linear val-data " +
  "val-frequency val-num-samples wandb-notes wandb-project-name warmup wd workers " +
  "zeroshot-frequency"
).split(" ");

describe("the table of open_clip_train's options", () => {
  const page = readFileSync(join(packageRoot, "docs/reference/command-line.md"), "utf8");
  const [, section = ""] = /\n### Options of open_clip_train\n([^]*?)\n## /.exec(page) ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const namesIn = (text: string): string[] => [...text.matchAll(/`--([a-z0-9-]+)/g)].map(([, name]) => name!);
  const cells = rows.map((row) => row.split(" | ") as [string, string]);

  it("names each of them once", () => {
    const named = cells.flatMap(([names]) => namesIn(names)).sort();
    assert.deepEqual(named, openClipOptions.toSorted());
  });

  it("calls the same only what the command has, and names no other option of it", () => {
    const own = addTrainOptions(new Command()).options.map(({ long }) => long?.slice(2));
    const global = ["model", "backend", "arch", "debug"];
    for (const [names, meaning] of cells) {
      const claimed = meaning.startsWith("the same") ? namesIn(names) : [];
      for (const name of [...claimed, ...namesIn(meaning)]) {
        assert.ok(own.includes(name) || global.includes(name), `--${name} is not an option of train`);
      }
    }
  });
});
