import assert from "node:assert/strict";
import { architectureByName, parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { recognizeArchitecture } from "../../../lib/clip/config/recognize.ts";
import { declaredTensors } from "../../../lib/clip/network.ts";

describe("recognizeArchitecture", () => {
  it("lists every architecture with the given tensors", async function () {
    this.timeout(20_000);
    for (const [arch, names] of Object.entries({
      "ViT-B-32-quickgelu": ["ViT-B-32", "ViT-B-32-quickgelu"],
      "xlm-roberta-base-ViT-B-32": ["xlm-roberta-base-ViT-B-32"],
      "xlm-roberta-large-ViT-H-14": ["xlm-roberta-large-ViT-H-14"],
    })) {
      const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
      const tensors = new Map(
        Array.from(declaredTensors(config), ([name, shape]) => [
          name,
          { shape, dtype: "F16" as const, offset: 0, size: 0 },
        ]),
      );
      assert.deepEqual(await recognizeArchitecture(tensors), names);
    }
  });
});
