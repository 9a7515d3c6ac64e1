import assert from "node:assert/strict";
import { tensor4d } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { BatchedEncoder } from "../../lib/tasks/batched-encoder.ts";
import { disposing } from "../../lib/tensor/disposing.ts";

const texts = ["a red circle", "three brown stars on a white ground", "ein Kreis", "二つの赤い円", "a"];

describe("BatchedEncoder", () => {
  let model: Clip;

  before(async () => {
    model = await loadModel();
  });

  after(() => model.dispose());

  /** The largest distance between embeddings, which have norm 1. */
  const worst = (found: readonly Float32Array[], expected: Float32Array): number =>
    Math.max(
      ...found.flatMap((row, i) =>
        [...row].map((value, k) => Math.abs(value - expected[i * row.length + k]!)),
      ),
    );

  it("gives concurrent texts the embeddings of single calls, in few passes", async () => {
    const encoder = new BatchedEncoder(model, { normalize: true, batchSize: 3 });
    let passes = 0;
    const counting = model.encodeTokens.bind(model);
    model.encodeTokens = (...args) => {
      passes += 1;
      return counting(...args);
    };
    try {
      const found = await Promise.all(texts.map((text) => encoder.encodeTexts([text])));
      assert.equal(passes, 2);
      const single: number[] = [];
      for (const text of texts) {
        single.push(
          ...(await disposing(await model.encodeText([text], { normalize: true }), (one) => one.data())),
        );
      }
      assert.ok(worst(found.flat(), Float32Array.from(single)) < 1e-6);
    } finally {
      model.encodeTokens = counting;
    }
  });

  it("gives concurrent images the embeddings of single calls", async () => {
    const encoder = new BatchedEncoder(model);
    const [height, width] = model.config.vision.imageSize;
    const size = 3 * height * width;
    const images = [1, 2, 3].map((k) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * k)));
    const found = await Promise.all(images.map((image) => encoder.encodeImages([image])));
    const single: number[] = [];
    for (const image of images) {
      const pixels = tensor4d(image, [1, 3, height, width]);
      const embedding = await disposing(pixels, (held) => model.encodeImage(held));
      single.push(...(await disposing(embedding, (one) => one.data())));
    }
    assert.ok(worst(found.flat(), Float32Array.from(single)) < 1e-5);
    await encoder.close();
    await assert.rejects(encoder.encodeImages(images), /closed/);
  });

  it("refuses wrong input and options", async () => {
    const encoder = new BatchedEncoder(model);
    await assert.rejects(encoder.encodeImages([new Float32Array(7)]), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /^encodeImages: expected \d+ values \[3, \d+, \d+\], got 7$/);
      return true;
    });
    assert.throws(() => new BatchedEncoder(model, { batchSize: 0 }), /batchSize/);
    await assert.rejects(encoder.encodeTexts(["a"], { signal: AbortSignal.abort() }), { name: "AbortError" });
  });
});
