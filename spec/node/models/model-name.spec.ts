import assert from "node:assert/strict";
import { basename } from "node:path";
import { modelName } from "../../../lib/node/models/model-name.ts";

describe("modelName", () => {
  it("is the name of the directory, also of the current one", () => {
    assert.equal(modelName("models/shapes/model.safetensors"), "shapes");
    assert.equal(modelName("model.safetensors"), basename(process.cwd()));
  });

  it("is the name of the repository in the hub's cache", () => {
    const folder = `hub/models--laion--CLIP-ViT-H-14/snapshots/${"0123456789".repeat(4)}`;
    assert.equal(modelName(`${folder}/model.safetensors`), "laion/CLIP-ViT-H-14");
  });
});
