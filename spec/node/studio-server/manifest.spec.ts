import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { studioManifest } from "../../../lib/node/studio-server/manifest.ts";

describe("studioManifest", () => {
  it("names the page and the demo model, whose files exist", async () => {
    const manifest = await studioManifest();
    for (const path of ["/", "/first-pass.json", "/demo/open_clip_config.json", "/demo/text/config.json"]) {
      assert.ok(manifest.has(path), path);
    }
    for (const entry of manifest.values()) if ("file" in entry) assert.ok(existsSync(entry.file), entry.file);
    assert.deepEqual(manifest.get("/studio.json"), { json: { server: null } });
  });

  it("tells the page that the network runs in the server", async () => {
    const manifest = await studioManifest({ version: "1.2.3" });
    assert.deepEqual(manifest.get("/studio.json"), { json: { server: { version: "1.2.3" } } });
  });
});
