import { strict as assert } from "node:assert";
import { declaredTensors } from "../../../../lib/clip/network.ts";
import { readModelDirectory } from "../../../../lib/node/models/model-directory.ts";
import { fixture } from "../../../support/paths.ts";

describe("MlpProjection", () => {
  // Python: (d_model + output_dim) // 2
  it("rounds its hidden width down where the widths' sum is odd", async () => {
    const { config } = await readModelDirectory(fixture("tiny/gelu-mlp"));
    assert.equal(config.text.kind, "xlm-roberta");
    const { width } = config.text.roberta;
    const shapes = declaredTensors({ ...config, embedDim: width + 3 });
    assert.deepEqual(shapes.get("text.proj.0.weight"), [width + 1, width]);
    assert.deepEqual(shapes.get("text.proj.2.weight"), [width + 3, width + 1]);
  });
});
