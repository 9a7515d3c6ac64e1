import { strict as assert } from "node:assert";
import {
  add,
  matMul,
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
import { gradients, type Gradients } from "../../lib/clip/gradients.ts";
import { contrastiveLoss, type LossInputs } from "../../lib/clip/loss.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { assertNear } from "../support/near.ts";
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

  it("of chosen weights are the same numbers, without the others", async () => {
    const loss = ({ images, texts }: LossInputs): Scalar => sum(matMul(images!, texts!, false, true));
    const all = await gradients(model, { pixels, rows }, loss);
    const names = ["visual.transformer.resblocks.1.mlp.c_fc.weight", "visual.proj"];
    const streamed = await loadTiny("gelu-mlp", "streamed");
    const before = memory().numTensors;
    const some = await gradients(streamed, { pixels, rows }, loss, { of: names });
    assert.deepEqual([...some.weights.keys()].sort(), names.sort());
    assert.deepEqual([some.pixels, some.rows.size, some.loss], [null, 0, all.loss]);
    for (const name of names) {
      assertNear([...some.weights.get(name)!.dataSync()], [...all.weights.get(name)!.dataSync()], 0);
    }
    for (const tensor of some.weights.values()) tensor.dispose();
    assert.equal(memory().numTensors, before, "neither activations nor weights are left");
    for (const tensor of [...all.weights.values(), all.pixels!]) tensor.dispose();
    await streamed.dispose();
  });

  it("run backwards no further than the first chosen tap, and count the blocks", async () => {
    const blocks: number[] = [];
    const seen: string[] = [];
    await gradients(model, { pixels }, ({ images }) => sum(images!), {
      of: ["*resblocks.1"],
      onTap: (name, gradient, value) => {
        assert.deepEqual(gradient.shape, value.shape);
        seen.push(name);
      },
      onBlock: (done, total) => blocks.push(done / total),
    });
    assert.deepEqual(seen, ["visual.transformer.resblocks.1"]);
    assertNear(
      blocks,
      [1, 2, 3, 4, 5].map((done) => done / 6),
      1e-12,
    ); // not block 0 on the way back
  });

  it("follow a patch in both directions, and emit each tap once", async () => {
    const names: string[] = [];
    let isPatched = true;
    const run = (): Promise<Gradients> =>
      withTaps(
        (name) => names.push(name),
        () => gradients(model, { pixels }, ({ images }) => sum(images!), { of: ["pixels"] }),
        (name, value) => (isPatched && name === "visual.transformer.resblocks.0" ? mul(value, 0) : null),
      );
    const patched = await run();
    assert.equal(new Set(names).size, names.length);
    isPatched = false;
    const whole = await run();
    const norms = [patched, whole].map(({ pixels: gradient }) => Math.hypot(...gradient!.dataSync()));
    assert.equal(norms[0], 0, "nothing of the pixels passes through a stream of zeros");
    assert.ok(norms[1]! > 1e-3);
    for (const { pixels: gradient } of [patched, whole]) gradient!.dispose();
  });

  it("stop when the signal is aborted, on the way back too, and when onTap fails", async () => {
    await (await model.encodeImage(pixels)).data();
    const before = memory().numTensors;
    for (const at of [2, 4]) {
      const controller = new AbortController();
      const stopped = gradients(model, { pixels }, ({ images }) => sum(images!), {
        signal: controller.signal,
        onBlock: (done) => {
          if (done === at) controller.abort(new Error("enough"));
        },
      });
      await assert.rejects(stopped, /enough/);
    }
    const failing = gradients(model, { pixels }, ({ images }) => sum(images!), {
      of: ["*mlp", "pixels"],
      onTap: () => Promise.reject(new Error("no space")),
    });
    await assert.rejects(failing, /no space/);
    assert.equal(memory().numTensors, before);
  });

  it("refuse globs without a match, taps without onTap, and inputs that do not fit the model", async () => {
    const images = ({ images }: LossInputs): Scalar => sum(images!);
    await assert.rejects(
      gradients(model, { pixels }, images, { of: ["visual.nothing"] }),
      (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(
          error.message,
          /^gradients: nothing matches "visual.nothing"; expected "pixels", a weight, or/,
        );
        assert.ok(error.details.includes("visual.transformer.resblocks.2.mlp"));
        return true;
      },
    );
    await assert.rejects(
      gradients(model, { pixels }, images, { of: ["*#probabilities"] }),
      /the tap "visual.transformer.resblocks.0.attn#probabilities" requires the option onTap/,
    );
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
