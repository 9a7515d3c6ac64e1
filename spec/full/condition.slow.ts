/**
 * Conditioning at the published size, on synthetic weights, against transformers' CLIPTextModel and
 * CLIPVisionModelWithProjection (tools/golden/condition.py --full).
 */
import { strict as assert } from "node:assert";
import { memory, tensor4d } from "@tensorflow/tfjs-core";
import { syntheticClip } from "../../lib/clip/synthetic-clip.ts";
import { conditionOnImages, conditionOnTokens, type Conditioning } from "../../lib/condition/condition.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";
import { conditionGolden } from "../support/condition-golden.ts";

describe("conditioning with ViT-H/14 on synthetic weights", function () {
  this.timeout(4 * 60_000);

  it("agrees with transformers", async () => {
    const golden = await conditionGolden("full");
    const model = await syntheticClip("ViT-H-14");
    const tensors = memory().numTensors;
    const pixels = tensor4d(
      syntheticValues("input.image", [1, 3, 224, 224], 0, 3 * 224 * 224),
      [1, 3, 224, 224],
    );
    const rows = await golden.rows("input.text");
    const check = async (found: Conditioning, name: string, shape: readonly number[]): Promise<void> => {
      const [value] = found.values();
      assert.deepEqual(value!.shape, shape);
      const all = await value!.data();
      for (const tensor of found.values()) tensor.dispose();
      const expected = await golden.floats(name);
      const stride = expected.length === all.length ? 1 : 97;
      const sampled = expected.map((_, i) => all[i * stride]!);
      const { relativeL2 } = compare(sampled, expected);
      console.log(`      ${name}: relative L2 ${relativeL2.toExponential(2)}`);
      assert.ok(relativeL2 <= 1e-5, `${name}: relative L2 ${relativeL2}`);
    };
    await check(await conditionOnImages(model, pixels, "wan"), "hidden_states", [1, 257, 1280]);
    await check(await conditionOnImages(model, pixels, "unclip"), "image_embeds", [1, 1024]);
    pixels.dispose();
    await check(await conditionOnTokens(model, rows, rows, "sd2"), "prompt_embeds", [1, 77, 1024]);
    assert.equal(memory().numTensors, tensors, "a tensor is left");
    await model.dispose();
    await golden.close();
  });
});
