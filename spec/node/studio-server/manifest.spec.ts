import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { studioManifest } from "../../../lib/node/studio-server/manifest.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { fixture } from "../../support/paths.ts";

describe("studioManifest", () => {
  it("names the page and the demo model, whose files exist", async () => {
    const manifest = await studioManifest();
    for (const path of ["/", "/first-pass.json", "/demo/open_clip_config.json", "/demo/text/config.json"]) {
      assert.ok(manifest.has(path), path);
    }
    for (const entry of manifest.values()) if ("file" in entry) assert.ok(existsSync(entry.file), entry.file);
    assert.deepEqual(manifest.get("/studio.json"), { json: { model: null } });
  });

  it("adds a model's own files", async () => {
    const manifest = await studioManifest(demoModel);
    assert.deepEqual(manifest.get("/studio.json"), {
      json: {
        model: {
          name: "demo-model",
          files: {
            config: "open_clip_config.json",
            weights: "open_clip_model.safetensors",
            tokenizer: "tokenizer.json",
          },
        },
      },
    });
    assert.ok(manifest.has("/model/text/config.json"));
  });

  it("refuses a folder that is not a model", async () => {
    await assert.rejects(studioManifest(fixture("images")), /no open_clip_config\.json/);
  });
});
