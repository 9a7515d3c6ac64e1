import assert from "node:assert/strict";
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
  const summaryOf = ({ status, stdout, stderr }: Result): Summary => {
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Summary;
  };

  beforeEach(async () => {
    const size = { width: 84, height: 84 } as const;
    await writeUnseenImages({ task: "fill", out: folder.file("train"), count: 4, seed: 1, ...size });
    await writeUnseenImages({ task: "fill", out: folder.file("validation"), count: 2, seed: 2, ...size });
  });

  it("trains both towers with FLYP's loss, and holds validation images out", async () => {
    const out = folder.file("flyp");
    const options = ["--loss", "flyp", "--validation-fraction", "0.25", "--template", "a photo of a {}."];
    const summary = summaryOf(await finetune(...options, "--blocks", "1", "--out", out, "--json"));
    assert.equal(summary.steps, 2); // 12 of 16 images are left: one batch of 8 in each epoch
    const [before, after] = [await loadModel(fixture("demo-model")), await loadModel(out)];
    for (const name of ["text.transformer.encoder.layer.1.output.dense.weight", "logit_scale"]) {
      const [old, tuned] = [
        await readFloat32(before.weights.store, name),
        await readFloat32(after.weights.store, name),
      ];
      assert.notDeepEqual(old, tuned, name);
    }
    const words = "text.transformer.embeddings.word_embeddings.weight";
    assert.deepEqual(
      await readFloat32(before.weights.store, words),
      await readFloat32(after.weights.store, words),
    );
    await before.dispose();
    await after.dispose();
  });
});
