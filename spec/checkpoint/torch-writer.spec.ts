import assert from "node:assert/strict";
import { readTorchFile } from "../../lib/checkpoint/torch-file.ts";
import { TorchTensor } from "../../lib/checkpoint/torch-objects.ts";
import { TorchStore } from "../../lib/checkpoint/torch-store.ts";
import { NewTensor, torchFileParts } from "../../lib/checkpoint/torch-writer.ts";
import { PythonFloat } from "../../lib/checkpoint/pickle-writer.ts";
import { Tuple } from "../../lib/checkpoint/pickle.ts";
import { crc32 } from "../../lib/tensor/crc32.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";
import { MemorySource } from "../support/memory-source.ts";

// tools/golden/check_training_resume.py loads such a file with torch.load.
describe("torchFileParts", () => {
  it("is read back: values, and tensors that share a file, each at a multiple of 64 bytes", async () => {
    const matrix = new NewTensor([2, 3], () => [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]);
    const root = new Map<string, unknown>([
      ["epoch", 3],
      ["name", "Übung"],
      ["rate", new PythonFloat(1)],
      ["large", 2 ** 40],
      ["flags", [null, true, false, -1, 0.5]],
      ["betas", new Tuple([new PythonFloat(0.9), 2])],
      [
        "state_dict",
        new Map([
          ["a", matrix],
          ["again", matrix],
          ["scale", new NewTensor([], () => [Float32Array.of(7)])],
        ]),
      ],
    ]);
    const parts: Uint8Array[] = [];
    for await (const part of torchFileParts(root as Parameters<typeof torchFileParts>[0], crc32))
      parts.push(part.slice());
    const source = new MemorySource(Buffer.concat(parts), "x.pt");
    const file = await readTorchFile(source, crc32);
    const found = file.root as Map<string, unknown>;
    assert.deepEqual([found.get("epoch"), found.get("name"), found.get("rate")], [3, "Übung", 1]);
    assert.equal(Number(found.get("large")), 2 ** 40);
    assert.deepEqual(found.get("flags"), [null, true, false, -1, 0.5]);
    assert.deepEqual((found.get("betas") as Tuple).items, [0.9, 2]);
    const tensors = found.get("state_dict") as Map<string, TorchTensor>;
    const store = new TorchStore(source, file, tensors);
    assert.deepEqual([...(await readFloat32(store, "a"))], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...(await readFloat32(store, "again"))], [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([...(await readFloat32(store, "scale"))], [7]);
    assert.deepEqual(
      [...store.tensors.values()].map(({ offset }) => offset % 64),
      [0, 0, 0],
    );
    assert.deepEqual(store.tensors.get("scale")!.shape, []);
  });

  it("refuses a tensor with other numbers than its shape says", async () => {
    const short = new NewTensor([2], () => [Float32Array.of(1)]);
    await assert.rejects(async () => {
      for await (const part of torchFileParts(short, crc32)) part.at(0);
    }, /archive\/data\/0: 4 bytes, expected 8/);
  });
});
