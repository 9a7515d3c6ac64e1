/** What diffusers' pipelines compute (tools/golden/condition.py), from the same pixels and ids. */
import assert from "node:assert/strict";
import { memory, tensor4d, type Tensor } from "@tensorflow/tfjs-core";
import { conditionOnImages, conditionOnTokens, type Conditioning } from "../../lib/condition/condition.ts";
import { consumersOf } from "../../lib/condition/consumers.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import { conditionGolden, type ConditionGolden } from "../support/condition-golden.ts";
import { tolerance } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

async function agrees(value: Tensor, golden: ConditionGolden, name: string): Promise<void> {
  const expected = await golden.floats(name);
  assert.deepEqual(value.shape, golden.shape(name), name);
  const { relativeL2 } = compare(await value.data(), expected);
  assert.ok(relativeL2 <= tolerance, `${name}: relative L2 ${relativeL2}`);
}

function dispose(values: Conditioning): void {
  for (const value of values.values()) value.dispose();
}

describe("conditioning", () => {
  let model: Clip;
  let golden: ConditionGolden;
  before(async () => {
    model = await loadModel(fixture("origins/clip-model"));
    golden = await conditionGolden();
    const pixels = tensor4d(await golden.floats("input.image"), [2, 3, 28, 28]);
    for (const loaded of [pixels, await model.encodeImage(pixels)]) loaded.dispose(); // the weights stay
  });
  after(async () => {
    await model.dispose();
    await golden.close();
  });

  const ofImages = [
    ["unclip", "image_embeds", "unclip_image_embeds"],
    ["ip-adapter", "ip_adapter_image_embeds", "ip_adapter_image_embeds"],
    ["ip-adapter-plus", "ip_adapter_image_embeds", "ip_adapter_plus_image_embeds"],
    ["svd", "image_embeddings", "svd_image_embeddings"],
    ["wan", "image_embeds", "wan_image_embeds"],
  ] as const;
  for (const [consumer, argument, expected] of ofImages) {
    it(`gives ${consumer} the tensor that its pipeline computes`, async () => {
      const pixels = tensor4d(await golden.floats("input.image"), [2, 3, 28, 28]);
      const before = memory().numTensors;
      const found = await conditionOnImages(model, pixels, consumer);
      assert.deepEqual([...found.keys()], [argument]);
      await agrees(found.get(argument)!, golden, expected);
      dispose(found);
      assert.equal(memory().numTensors, before, "a tensor is left");
      pixels.dispose();
    });
  }

  it("knows no other consumer of images", () => {
    assert.deepEqual(
      consumersOf("image"),
      ofImages.map(([name]) => name),
    );
  });

  it("gives Stable Diffusion 2 the states that its pipeline computes, padding included", async () => {
    const rows = await golden.rows("input.text");
    const negative = await golden.rows("input.negative");
    const found = await conditionOnTokens(model, rows, negative, "sd2");
    assert.deepEqual([...found.keys()], ["prompt_embeds", "negative_prompt_embeds"]);
    for (const [name, value] of found) await agrees(value, golden, name);
    dispose(found);
    // Rows without their padding are the same texts.
    const cut = rows.map((row) => row.slice(0, row.indexOf(89) + 1));
    const again = await conditionOnTokens(model, cut, negative, "sd2");
    await agrees(again.get("prompt_embeds")!, golden, "prompt_embeds");
    dispose(again);
  });

  it("repeats one negative prompt for all texts", async () => {
    const rows = await golden.rows("input.text");
    const [negative] = await golden.rows("input.negative");
    const found = await conditionOnTokens(model, rows, [negative!], "sd2");
    const values = await found.get("negative_prompt_embeds")!.data();
    assert.deepEqual(values.slice(0, values.length / 2), values.slice(values.length / 2));
    dispose(found);
    await assert.rejects(conditionOnTokens(model, [...rows, rows[0]!], [rows[0]!, rows[1]!], "sd2"), {
      message: "conditionOnTokens: expected 1 or 3 negative prompts, found 2",
    });
  });

  it("refuses what a generator does not take", async () => {
    await assert.rejects(conditionOnTokens(model, [[88, 89]], [[88, 89]], "wan"), {
      message: "conditionOnTokens: expected one of sd2, found wan",
    });
    const multilingual = await loadModel(fixture("tiny/gelu-mlp"));
    await assert.rejects(
      conditionOnTokens(multilingual, [[0, 2]], [[0, 2]], "sd2"),
      /Stable Diffusion 2 takes the English text tower .*, found a model with a text tower of the kind xlm-roberta/,
    );
    await multilingual.dispose();
  });
});
