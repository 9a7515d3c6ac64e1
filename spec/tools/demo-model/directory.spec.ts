import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { demoModel } from "../../../lib/index.ts";
import { samples } from "../../../tools/demo-model/samples.ts";

interface Configuration {
  readonly model_cfg: {
    readonly vision_cfg: { readonly patch_size: number; readonly head_width: number };
    readonly text_cfg: Readonly<Record<string, unknown>>;
  };
}

describe("the demo model's directory", () => {
  it("has at most 6 MB, including samples", () => {
    const files = readdirSync(demoModel, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const bytes = files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
    assert.ok(bytes <= 6_000_000, `${bytes} bytes`);
  });

  it("has the architecture of the published model with another head width", () => {
    const path = join(demoModel, "open_clip_config.json");
    const { model_cfg: model } = JSON.parse(readFileSync(path, "utf8")) as Configuration;
    assert.equal(model.vision_cfg.patch_size, 14);
    assert.notEqual(model.vision_cfg.head_width, 64);
    assert.equal(model.text_cfg["hf_pooler_type"], "mean_pooler");
    assert.equal(model.text_cfg["hf_proj_type"], "mlp");
  });

  it("contains the samples that the generator draws", () => {
    const files = readdirSync(join(demoModel, "samples")).sort();
    assert.deepEqual(files, samples.map(({ file }) => file).sort());
  });
});
