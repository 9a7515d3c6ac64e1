import assert from "node:assert/strict";
import { architectures } from "../../lib/clip/config/architectures/index.ts";
import { pretrained } from "../../lib/clip/config/architectures/pretrained.ts";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { parseClipConfig } from "../../lib/clip/config/open-clip.ts";
import { openClipName } from "../../lib/eval/model-name.ts";

async function configOf(architecture: string): Promise<ClipConfig> {
  const config = Object.entries(architectures).find(([name]) => name === architecture)![1];
  return parseClipConfig(config, architecture, () => Promise.resolve(null));
}

describe("openClipName", () => {
  it("gives each published repository the names under which open_clip loads it", async () => {
    for (const { architecture, tag, repository } of pretrained) {
      const config = await configOf(architecture);
      const expected = { model: architecture, pretrained: tag };
      const isUnique = pretrained.filter((row) => row.repository === repository).length === 1;
      const found = await openClipName(config, repository);
      // Several tags may share a repository: the first of this architecture is its name.
      if (isUnique) assert.deepEqual(found, expected);
      else assert.equal(found.model, architecture, repository);
      // A local directory with the repository's name.
      assert.deepEqual(await openClipName(config, repository.split("/").at(-1)!), found);
    }
  });

  it("gives other weights of a known architecture the name of their directory", async () => {
    const config = await configOf("xlm-roberta-large-ViT-H-14");
    assert.deepEqual(await openClipName(config, "my-run"), {
      model: "xlm-roberta-large-ViT-H-14",
      pretrained: "my-run",
    });
  });

  it("does not give weights of another architecture a repository's name, nor a part of a name", async () => {
    const config = await configOf("xlm-roberta-large-ViT-H-14");
    for (const name of ["laion/CLIP-ViT-H-14-laion2B-s32B-b79K", "b90k", ""]) {
      assert.deepEqual(await openClipName(config, name), {
        model: "xlm-roberta-large-ViT-H-14",
        pretrained: name,
      });
    }
  });

  it("gives unknown architectures the name of their directory", async () => {
    const config = { ...(await configOf("ViT-H-14")), embedDim: 7 };
    assert.deepEqual(await openClipName(config, "demo"), { model: "demo", pretrained: "demo" });
  });
});
