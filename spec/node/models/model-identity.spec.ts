import assert from "node:assert/strict";
import { declaredTensors } from "../../../lib/clip/network.ts";
import type { ClipConfig } from "../../../lib/clip/config/clip-config.ts";
import { architectureByName, parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { modelIdentity, type Tower } from "../../../lib/node/models/model-identity.ts";
import type { TensorStore } from "../../../lib/tensor/store.ts";
import { SyntheticStore } from "../../../lib/tensor/synthetic.ts";
import { ModelWeights } from "../../../lib/tensor/model-weights.ts";

describe("modelIdentity", () => {
  const matrix = "visual.transformer.resblocks.3.mlp.c_fc.weight";
  const norm = "visual.ln_post.weight";
  let config: ClipConfig;

  before(async () => {
    const arch = "xlm-roberta-base-ViT-B-32";
    config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
  });

  /** @param changed the bytes of a tensor that are others than the synthetic ones */
  async function fingerprint(
    tower: Tower,
    changed?: [name: string, from: number, to: number],
  ): Promise<string> {
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
    return (await modelIdentity({ config, weights: new ModelWeights(store, "resident") }, tower)).sha256;
  }

  it("is the same for the same weights, and another for each tower", async () => {
    assert.equal(await fingerprint("image"), await fingerprint("image"));
    assert.notEqual(await fingerprint("image"), await fingerprint("text"));
  });

  it("sees weights that differ late in a matrix, in its last byte, or in one number of a norm", async () => {
    const size = 4 * 768 * 3072;
    const found = [
      await fingerprint("image"),
      await fingerprint("image", [matrix, 2 ** 18, size]),
      await fingerprint("image", [matrix, size / 2, size / 2 + 2 ** 18]),
      await fingerprint("image", [matrix, size - 1, size]),
      await fingerprint("image", [norm, 400, 401]),
    ];
    assert.equal(new Set(found).size, found.length);
  });

  it("of one tower does not depend on the other", async () => {
    const changed: [string, number, number] = [matrix, 0, 100];
    assert.equal(await fingerprint("text", changed), await fingerprint("text"));
  });
});
