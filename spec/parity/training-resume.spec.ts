/** Continuing from checkpoints: open_clip's, and our own (tools/golden/check_training_resume.py has open_clip continue). */
import { strict as assert } from "node:assert";
import { torchFileParts } from "../../lib/checkpoint/index.ts";
import { crc32 } from "../../lib/node/files/crc32.ts";
import { writeTogether } from "../../lib/node/files/write-file.ts";
import { loadTrainedModel, openCheckpoint } from "../../lib/node/train/model.ts";
import { checkpointOf, rebaseTables, restoreOptimizer } from "../../lib/train/checkpoint.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { fixture } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";
import {
  readPairs,
  runGoldenEpoch,
  sampleState,
  specialIds,
  TrainingGolden,
} from "../support/training-golden.ts";

const epochs = 5;
const saved = 3;

interface End {
  readonly losses: readonly number[];
  readonly weights: readonly number[];
}

/** The last two epochs of the golden "full", from a checkpoint. */
async function continueFrom(path: string): Promise<End> {
  const golden = await TrainingGolden.open("full");
  const checkpoint = await openCheckpoint(path);
  const model = await loadTrainedModel({
    model: fixture("training/multilingual"),
    pretrained: null,
    checkpoint,
  });
  const optimizer = await golden.optimizer(model);
  await restoreOptimizer(optimizer, checkpoint);
  assert.equal(checkpoint.epoch, saved);
  const losses: number[] = [];
  const pairs = await readPairs(specialIds("multilingual"));
  for (let epoch = saved; epoch < epochs; epoch++) {
    await runGoldenEpoch(golden, model, optimizer, pairs, epoch, ({ loss }) => void losses.push(loss));
  }
  const weights = (await sampleState(optimizer.parameters, "value")).flat();
  optimizer.dispose();
  pairs.images.dispose();
  await model.dispose();
  await golden.close();
  return { losses, weights };
}

describe("a training checkpoint", () => {
  const folder = temporaryFolder();

  it("of open_clip is continued with open_clip's losses and weights", async () => {
    const golden = await TrainingGolden.open("full");
    const expected = await golden.numbers("loss");
    const end = await continueFrom(fixture("training/full-resume.pt"));
    assert.equal(end.losses.length, 8);
    for (const [i, loss] of end.losses.entries()) {
      const reference = expected[expected.length - 8 + i]!;
      assert.ok(Math.abs(loss - reference) <= 1e-5 * reference, `${loss}, expected ${reference}`);
    }
    const weights = await golden.samples("weight", expected.length);
    const { relativeL2 } = compare(Float32Array.from(end.weights), weights);
    assert.ok(relativeL2 <= 1e-5, `weights differ by ${relativeL2}`);
    await golden.close();
  });

  it("of ours is continued bit for bit", async () => {
    const path = folder.file("epoch_3.pt");
    const golden = await TrainingGolden.open("full");
    const model = await golden.model();
    const optimizer = await golden.optimizer(model);
    const pairs = await readPairs(specialIds("multilingual"));
    const losses: number[] = [];
    let written: Awaited<ReturnType<typeof openCheckpoint>> | null = null;
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (epoch === saved) {
        const content = checkpointOf(model, optimizer, { epoch, name: "full", rate: 0, own: new Map() });
        await writeTogether([path], async ([file]) => {
          for await (const part of torchFileParts(content, crc32)) await file!.write(part);
        });
        written = await openCheckpoint(path);
        await rebaseTables(optimizer, written);
      }
      await runGoldenEpoch(golden, model, optimizer, pairs, epoch, ({ loss }) => void losses.push(loss));
    }
    const weights = (await sampleState(optimizer.parameters, "value")).flat();
    const end = await continueFrom(path);
    assert.deepEqual(end.losses, losses.slice(-8));
    assert.deepEqual(end.weights, weights);
    optimizer.dispose();
    pairs.images.dispose();
    await model.dispose();
    await written?.close();
    await golden.close();
  });

  it("with other locks is refused", async () => {
    const checkpoint = await openCheckpoint(fixture("training/full-resume.pt"));
    const golden = await TrainingGolden.open("lock-image");
    const model = await golden.model();
    const optimizer = await golden.optimizer(model);
    await assert.rejects(
      restoreOptimizer(optimizer, checkpoint),
      /full-resume.pt: its optimizer trains 72 parameters, this run 40; repeat the options that lock weights/,
    );
    optimizer.dispose();
    await model.dispose();
    await golden.close();
    await checkpoint.close();
  });
});
