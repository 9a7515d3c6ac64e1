import { strict as assert } from "node:assert";
import type { Clip } from "../../lib/clip/clip.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import {
  headNorms,
  patchFilters,
  positionCosines,
  positionSimilarity,
  tensorHistogram,
} from "../../lib/study/weights.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";
import { loadTiny } from "../support/golden.ts";
import { ExampleStore } from "../support/layers.ts";
import { assertNear } from "../support/near.ts";
import { fixture } from "../support/paths.ts";

describe("figures of weights", () => {
  let model: Clip;
  let file: SafetensorsFile;
  before(async () => {
    model = await loadTiny("gelu-mlp"); // width 40, two heads of 20, 2 × 3 patches
    file = await SafetensorsFile.open(
      await FileSource.open(fixture("tiny/gelu-mlp/open_clip_model.safetensors")),
    );
  });
  after(async () => {
    await model.dispose();
    await file.close();
  });

  it("headNorms are the Frobenius norms of W_Q W_Kᵀ / √headWidth and W_V W_O", async () => {
    const [width, headWidth] = [40, 20];
    const inProj = await readFloat32(file, "visual.transformer.resblocks.1.attn.in_proj_weight"); // [3 · width, width]
    const outProj = await readFloat32(file, "visual.transformer.resblocks.1.attn.out_proj.weight"); // [width, width]
    const found = await headNorms(model.visual, 1);
    for (const head of [0, 1]) {
      let [queryKey, valueOutput] = [0, 0];
      for (let a = 0; a < width; a++) {
        for (let b = 0; b < width; b++) {
          let [qk, vo] = [0, 0];
          for (let i = 0; i < headWidth; i++) {
            const row = head * headWidth + i;
            qk += inProj[row * width + a]! * inProj[(width + row) * width + b]!;
            vo += inProj[(2 * width + row) * width + a]! * outProj[b * width + row]!;
          }
          queryKey += qk * qk;
          valueOutput += vo * vo;
        }
      }
      assertNear([found.queryKey[head]! / Math.sqrt(queryKey / headWidth)], [1], 1e-5);
      assertNear([found.valueOutput[head]! / Math.sqrt(valueOutput)], [1], 1e-5);
    }
    await assert.rejects(headNorms(model.visual, 3), /layer 3: the image tower has the layers 0 to 2/);
  });

  it("positionCosines compare the patches' positions, without the class token's", async () => {
    const { count, values } = await positionCosines(model.visual);
    assert.deepEqual([count, values.length], [6, 36]);
    const embeddings = await readFloat32(file, "visual.positional_embedding");
    const [a, b] = [embeddings.subarray(40, 80), embeddings.subarray(200, 240)]; // of the patches 0 and 4
    const product = a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    assertNear(
      [values[4]!, values[24]!],
      Array<number>(2).fill(product / Math.hypot(...a) / Math.hypot(...b)),
      1e-6,
    );
    for (let i = 0; i < 6; i++) assertNear([values[7 * i]!], [1], 1e-6);
  });

  it("an absolute scale changes the colours, not the size", async () => {
    for (const draw of [
      (absoluteScale: boolean) => patchFilters(model.visual, { absoluteScale, count: 9 }),
      (absoluteScale: boolean) => positionSimilarity(model.visual, [2, 3], { absoluteScale }),
    ]) {
      const [own, absolute] = await Promise.all([draw(false), draw(true)]);
      assert.equal(own.width, absolute.width);
      const top = 30 * own.width; // ten rows of pixels
      assert.notDeepEqual(own.rgb.subarray(0, top), absolute.rgb.subarray(0, top));
    }
  });
});

describe("tensorHistogram", () => {
  it("counts a tensor's numbers in 64 intervals", async () => {
    const store = new ExampleStore({ x: [0, 0.5, 63.5, 64, NaN], same: [2, 2], nothing: [NaN] });
    const { min, max, counts } = (await tensorHistogram(store, "x"))!;
    assert.deepEqual([min, max, counts[0], counts[63]], [0, 64, 2, 2]);
    assert.equal(
      counts.reduce((a, b) => a + b),
      4,
    );
    assert.equal((await tensorHistogram(store, "same"))!.counts[0], 2);
    assert.equal(await tensorHistogram(store, "nothing"), null);
  });
});
