import { strict as assert } from "node:assert";
import { syntheticClip } from "../../lib/clip/synthetic-clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";

describe("syntheticClip", () => {
  it("has the weights of a published architecture without a file, and streams them", async () => {
    const model = await syntheticClip("xlm-roberta-large-ViT-H-14");
    assert.equal(model.weights.residency, "streamed");
    assert.deepEqual(model.visual.proj.shape, [1280, 1024]);
    await model.visual.proj.load();
    // Uniform in ±√(3 / 1280): the variance is 1 / 1280, the fan-in's inverse.
    const values = await model.visual.proj.tensor.data<"float32">();
    const variance = values.reduce((total, value) => total + value * value, 0) / values.length;
    assert.ok(Math.abs(variance * 1280 - 1) < 0.01, `variance ${variance}`);
    await model.dispose();
  });

  it("refuses texts, which need a tokenizer, and unknown architectures", async () => {
    const model = await syntheticClip("ViT-B-32");
    await assert.rejects(model.encodeText(["a cat"]), /ViT-B-32 on synthetic weights has no tokenizer/);
    await model.dispose();
    await assert.rejects(syntheticClip("ViT-B-33"), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /ViT-B-33/);
      return true;
    });
  });
});
