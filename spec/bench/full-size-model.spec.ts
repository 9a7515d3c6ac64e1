import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { loadModel } from "../../lib/index.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";
import { writeFullSizeModel } from "../../bench/full-size-model.ts";
import { temporaryFolder } from "../support/temporary.ts";

describe("a model of the published size with synthetic weights", () => {
  const folder = temporaryFolder();

  it("loads with the requested number of blocks, and is written once", async () => {
    const options = { arch: "ViT-B-32", blocks: 1, dtype: "F16", parent: folder.path } as const;
    const directory = await writeFullSizeModel(options);
    const model = await loadModel(directory);
    assert.deepEqual([model.config.vision.layers, model.config.vision.width], [1, 768]);
    await model.dispose();

    const store = await openWeights(directory);
    const [name, shape] = ["visual.proj", [768, 512]] as const;
    const found = await readFloat32(store, name);
    await store.close();
    const expected = syntheticValues(name, shape, 0, 768 * 512);
    assert.ok(found.every((value, i) => Math.abs(value - expected[i]!) < 1e-4));

    const file = `${directory}/open_clip_model.safetensors`;
    const { mtimeMs } = statSync(file);
    assert.equal(await writeFullSizeModel(options), directory);
    assert.equal(statSync(file).mtimeMs, mtimeMs);
    assert.equal(readdirSync(folder.path).length, 1);
  });
});
