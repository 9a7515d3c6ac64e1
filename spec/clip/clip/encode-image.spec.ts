import { strict as assert } from "node:assert";
import { tensor4d, zeros, type Rank } from "@tensorflow/tfjs-core";
import type { Clip } from "../../../lib/clip/clip.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { fixture } from "../../support/paths.ts";
import { valuesOf } from "../../support/values.ts";

describe("encodeImage", () => {
  let model: Clip;
  before(async () => {
    model = await loadModel(fixture("tiny/gelu-mlp"));
  });
  after(() => model.dispose());

  it("refuses pixels of another shape, and integers", async () => {
    const pixels = zeros<Rank.R4>([1, 3, 28, 28]);
    await assert.rejects(
      model.encodeImage(pixels),
      /expected pixels of the shape \[B, 3, 28, 42\], got \[1,3,28,28\]/,
    );
    const integers = zeros<Rank.R4>([1, 3, 28, 42], "int32");
    await assert.rejects(model.encodeImage(integers), /expected float32 pixels, normalised, got int32/);
    for (const tensor of [pixels, integers]) tensor.dispose();
  });

  it("gives an image the same embedding alone and in a batch", async () => {
    const size = 3 * 28 * 42;
    const values = Float32Array.from({ length: 2 * size }, (_, i) => Math.sin(i));
    const run = async (from: number, count: number): Promise<Float32Array> => {
      const pixels = tensor4d(values.subarray(from * size, (from + count) * size), [count, 3, 28, 42]);
      const features = await valuesOf(model.encodeImage(pixels));
      pixels.dispose();
      return features;
    };
    const both = await run(0, 2);
    assert.ok(compare(await run(1, 1), both.subarray(24)).relativeL2 < 2e-6);
  });
});
