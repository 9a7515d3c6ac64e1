import { strict as assert } from "node:assert";
import {
  add,
  memory,
  mul,
  square,
  sum,
  tensor2d,
  tidy,
  zeros,
  type Rank,
  type Scalar,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { gradients } from "../../lib/clip/gradients.ts";
import { contrastiveLoss, type LossInputs } from "../../lib/clip/loss.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { valuesOf } from "../support/values.ts";

const rows = [
  [0, 5, 9, 2],
  [0, 7, 2],
];

// spec/parity/gradients.spec.ts compares every gradient with PyTorch's.
describe("gradients", () => {
  let model: Clip;
  let pixels: Tensor4D;
  before(async () => {
    model = await loadTiny("gelu-mlp");
    const golden = await openGolden(tinyGolden("gelu-mlp"));
    pixels = golden.readImage()!;
    await golden.close();
  });
  after(async () => {
    pixels.dispose();
    await model.dispose();
  });

  it("are those of the given loss: s² of the logit scale s has the gradient 2 s", async () => {
    const squared = ({ images, texts, logitScale }: LossInputs): Scalar => {
      assert.deepEqual([images, texts], [null, null]);
      return square(logitScale as Scalar);
    };
    const found = await gradients(model, {}, squared);
    const scale = Math.sqrt(found.loss);
    assert.deepEqual([...found.weights.keys()], ["logit_scale"]);
    const [gradient = NaN] = found.weights.get("logit_scale")!.dataSync();
    assert.ok(Math.abs(gradient - 2 * scale) < 1e-5 * scale, `${gradient}, expected 2 · ${scale}`);
    assert.equal(found.pixels, null);
    for (const tensor of found.weights.values()) tensor.dispose();
  });

  it("predict how the loss changes when the pixels change a little", async () => {
    const weight = tensor2d([Array.from({ length: 24 }, (_, i) => Math.sin(i))]);
    const lossOf = async (changed: Tensor4D): Promise<number> => {
      const features = model.encodeImage(changed, { normalize: true });
      const values = await valuesOf(features.then((x) => tidy(() => sum(mul(x, weight)))));
      changed.dispose();
      return values[0]!;
    };
    const found = await gradients(model, { pixels }, ({ images }) => sum(mul(images!, weight)));
    const gradient = found.pixels!;
    const [squaredNorm = NaN] = tidy(() => sum(square(gradient))).dataSync();
    // Along the gradient, the loss grows by step · ‖gradient‖² in a step both ways, up to terms of the third order.
    const step = 0.02 / Math.sqrt(squaredNorm);
    const moved = (by: number): Tensor4D => tidy(() => add(pixels, mul(gradient, by)));
    const growth = (await lossOf(moved(step))) - (await lossOf(moved(-step)));
    const ratio = growth / (2 * step * squaredNorm);
    assert.ok(Math.abs(ratio - 1) < 0.01, `${ratio} of what the gradient predicts`);
    for (const tensor of [...found.weights.values(), gradient, weight]) tensor.dispose();
  });

  it("of a table are those of the rows that the texts use", async () => {
    const found = await gradients(model, { rows }, ({ texts }) => sum(texts!));
    const words = "text.transformer.embeddings.word_embeddings.weight";
    assert.deepEqual(found.rows.get(words), [0, 1, 2, 5, 7, 9]); // id 1 is padding
    assert.deepEqual(found.weights.get(words)!.shape, [6, 32]);
    for (const tensor of found.weights.values()) tensor.dispose();
  });

  it("need resident weights, and inputs that fit the model", async () => {
    const streamed = await loadTiny("gelu-mlp", "streamed");
    await assert.rejects(gradients(streamed, { pixels }, contrastiveLoss), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /gradients need all weights in memory/);
      return true;
    });
    await streamed.dispose();
    const none = zeros<Rank.R4>([0, 3, 28, 42]);
    await assert.rejects(gradients(model, { pixels: none }, contrastiveLoss), InputError);
    await assert.rejects(gradients(model, { rows: [] }, contrastiveLoss), /expected at least one text/);
    none.dispose();
  });

  it("leave no activation and no row behind when the loss fails", async () => {
    const oneText = rows.slice(0, 1);
    const attempt = (): Promise<void> =>
      assert.rejects(gradients(model, { pixels, rows: oneText }, contrastiveLoss), /as many images as texts/);
    await attempt(); // afterwards all weights are loaded
    const before = memory().numTensors;
    await attempt();
    assert.equal(memory().numTensors, before);
  });
});
