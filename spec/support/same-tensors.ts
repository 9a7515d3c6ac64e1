import assert from "node:assert/strict";
import { openWeightsFile } from "../../lib/node/models/weights-file.ts";
import { tensorInfo } from "../../lib/tensor/store.ts";

/** Asserts that two files of weights hold the same tensors, byte for byte. */
export async function assertSameTensors(path: string, expected: string): Promise<void> {
  const [{ store: ours }, { store: theirs }] = [await openWeightsFile(path), await openWeightsFile(expected)];
  assert.deepEqual([...ours.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
  for (const name of theirs.tensors.keys()) {
    assert.deepEqual(await ours.read(name), await theirs.read(name), name);
    assert.deepEqual(tensorInfo(ours, name).shape, tensorInfo(theirs, name).shape);
  }
  await ours.close();
  await theirs.close();
}
