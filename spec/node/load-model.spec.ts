import { strict as assert } from "node:assert";
import { declaredTensors } from "../../lib/clip/clip.ts";
import { architectureByName, parseClipConfig } from "../../lib/clip/config.ts";
import { fittingResidency, threadsFor } from "../../lib/node/load-model.ts";
import { demoModel, readModelDirectory } from "../../lib/node/model-directory.ts";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";

describe("fittingResidency", () => {
  async function choice(arch: string, backend: string, available = 64e9): Promise<string> {
    const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
    return fittingResidency(new SyntheticStore(declaredTensors(config)), backend, available);
  }

  it("streams what does not fit WASM's heap, and nothing else", async () => {
    assert.equal(await choice("xlm-roberta-large-ViT-H-14", "wasm"), "streamed");
    assert.equal(await choice("xlm-roberta-large-ViT-H-14", "tensorflow"), "resident");
    assert.equal(await choice("ViT-B-32", "wasm"), "resident");
  });

  it("streams what does not fit the machine's free memory", async () => {
    assert.equal(await choice("xlm-roberta-large-ViT-H-14", "tensorflow", 3e9), "streamed");
    assert.equal(await choice("ViT-B-32", "cpu", 3e9), "resident");
    assert.equal(await choice("ViT-B-32", "wasm", 0.3e9), "streamed");
  });

  it("does not count the word embeddings, of which only rows are loaded", async () => {
    // 278 million parameters of text, 192 million of them word embeddings, and 88 million of the image tower.
    assert.equal(await choice("xlm-roberta-base-ViT-B-32", "wasm"), "resident");
  });
});

describe("threadsFor", () => {
  it("takes one thread of wasm for a small model, one a core for the published ones", async () => {
    const demo = await readModelDirectory(demoModel);
    assert.deepEqual(threadsFor(demo.config), { wasmThreads: 1 });
    const name = "ViT-B-32";
    const config = await parseClipConfig(architectureByName(name), name, () => Promise.resolve(null));
    assert.deepEqual(threadsFor(config), {});
  });
});
