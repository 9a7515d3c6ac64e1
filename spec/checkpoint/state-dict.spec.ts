import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { openTorchCheckpoint } from "../../lib/checkpoint/index.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { openWeightsFile } from "../../lib/node/models/weights-file.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { MemorySource } from "../support/memory-source.ts";
import { fixture } from "../support/paths.ts";

describe("openTorchCheckpoint", () => {
  let model: TensorStore;

  before(async () => {
    const index = fixture("tiny/no-projection/open_clip_model.safetensors.index.json");
    model = (await openWeightsFile(index)).store;
  });

  after(() => model.close());

  for (const file of ["training.pt", "training-legacy.pt", "exported.pt"]) {
    it(`${file}: the model's tensors under the names of its modules`, async () => {
      const { store, skipped } = await openWeightsFile(fixture(`checkpoints/${file}`));
      assert.deepEqual(skipped, []);
      const extra = file === "exported.pt" ? [] : ["text.transformer.embeddings.position_ids"];
      assert.deepEqual([...store.tensors.keys()].sort(), [...model.tensors.keys(), ...extra].sort());
      for (const name of model.tensors.keys()) {
        assert.deepEqual(await store.read(name), await model.read(name), name);
      }
      await store.close();
    });
  }

  it("closes the source with the store, and when opening fails", async () => {
    const bytes = new Uint8Array(await readFile(fixture("checkpoints/protocol-2.pt")));
    const source = new MemorySource(bytes);
    const { store } = await openTorchCheckpoint(source);
    assert.equal(source.closed, false);
    await store.close();
    assert.equal(source.closed, true);
    const broken = new MemorySource(bytes.slice(0, 500));
    await assert.rejects(openTorchCheckpoint(broken), InputError);
    assert.equal(broken.closed, true);
  });
});
