import assert from "node:assert/strict";
import { declaredTensors } from "../../lib/clip/network.ts";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../lib/clip/config/open-clip.ts";
import { modelDigest, type Tower } from "../../lib/features/model-digest.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";
import { ModelWeights } from "../../lib/tensor/model-weights.ts";

describe("modelDigest", () => {
  const matrix = "visual.transformer.resblocks.3.mlp.c_fc.weight";
  const norm = "visual.ln_post.weight";
  let config: ClipConfig;

  before(async () => {
    const arch = "xlm-roberta-base-ViT-B-32";
    config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
  });

  /** @param changed the range of a tensor's bytes that differs from the synthetic ones */
  function digest(tower: Tower, changed?: [name: string, from: number, to: number]): Promise<string> {
    const synthetic = new SyntheticStore(declaredTensors(config));
    const store: TensorStore = {
      name: "somewhere/model.safetensors",
      tensors: synthetic.tensors,
      metadata: {},
      close: () => synthetic.close(),
      read: async (name, start = 0, length) => {
        const bytes = await synthetic.read(name, start, length);
        if (changed?.[0] !== name) return bytes;
        const [, from, to] = changed;
        return bytes.map((byte, i) => (start + i >= from && start + i < to ? byte ^ 1 : byte));
      },
    };
    return modelDigest({ config, weights: new ModelWeights(store, "resident") }, tower);
  }

  it("is the same for the same weights, and differs between the towers", async () => {
    assert.equal(await digest("image"), await digest("image"));
    assert.notEqual(await digest("image"), await digest("text"));
  });

  it("changes with the end of a matrix, its last byte, or one number of a norm", async () => {
    const size = 4 * 768 * 3072;
    const found = [
      await digest("image"),
      await digest("image", [matrix, 2 ** 18, size]),
      await digest("image", [matrix, size / 2, size / 2 + 2 ** 18]),
      await digest("image", [matrix, size - 1, size]),
      await digest("image", [norm, 400, 401]),
    ];
    assert.equal(new Set(found).size, found.length);
  });

  it("of one tower does not depend on the other tower", async () => {
    const changed: [string, number, number] = [matrix, 0, 100];
    assert.equal(await digest("text", changed), await digest("text"));
  });
});
