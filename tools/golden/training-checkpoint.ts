/**
 * Writes the checkpoint after three epochs of the training golden `full`, for check_training_resume.py:
 *
 *     node dist/tools/golden/training-checkpoint.js epoch_3.pt && python tools/golden/check_training_resume.py epoch_3.pt
 */
import { torchFileParts } from "../../lib/checkpoint/index.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { crc32 } from "../../lib/node/files/crc32.ts";
import { writeTogether } from "../../lib/node/files/write-file.ts";
import { checkpointOf } from "../../lib/train/checkpoint.ts";
import { readPairs, runGoldenEpoch, specialIds, TrainingGolden } from "../../spec/support/training-golden.ts";

const [out = "epoch_3.pt"] = process.argv.slice(2);
await startNodeBackend();
const golden = await TrainingGolden.open("full");
const model = await golden.model();
const optimizer = await golden.optimizer(model);
const pairs = await readPairs(specialIds(golden.options.model));
const epochs = 3;
for (let epoch = 0; epoch < epochs; epoch++) await runGoldenEpoch(golden, model, optimizer, pairs, epoch);
const rate = golden.schedule(optimizer.step - 1);
const content = checkpointOf(model, optimizer, { epoch: epochs, name: "full", rate, own: new Map() });
await writeTogether([out], async ([file]) => {
  for await (const part of torchFileParts(content, crc32)) await file!.write(part);
});
console.log(`${out}: ${optimizer.step} steps`);
