import assert from "node:assert/strict";
import { memory, tensor2d, tensor4d } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { FourierImage } from "../../lib/guide/fourier-image.ts";
import {
  coefficientGradient,
  guide,
  imageGradient,
  randomCutouts,
  type GuideOptions,
} from "../../lib/guide/guide.ts";
import { TorchRandom } from "../../lib/tensor/torch-random.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { loadTiny } from "../support/golden.ts";
import { guideCanvas, guideCutouts, readGuideGolden } from "../support/guide-golden.ts";

describe("guide", () => {
  let model: Clip;
  before(async () => {
    model = await loadTiny("plain");
  });
  after(() => model.dispose());

  it("has PyTorch's loss, and its gradient for the coefficients", async () => {
    const golden = await readGuideGolden();
    const targets = { embeddings: tensor2d(golden.targets, [2, 24]), weights: [...golden.weights] };
    const fourier = new FourierImage({ ...guideCanvas, decay: 1.5 });
    const coefficients = tensor4d(golden.coefficients, fourier.shape);
    for (const batchSize of [1, 8]) {
      const options = { smoothness: 10, grain: 0, batchSize };
      const random = new TorchRandom(0);
      const found = await imageGradient(
        model,
        targets,
        golden.image,
        guideCanvas,
        guideCutouts,
        options,
        random,
      );
      assert.ok(Math.abs(found.loss - golden.loss[0]!) < 1e-5, `${found.loss}`);
      const gradient = coefficientGradient(fourier, coefficients, found.gradient, guideCanvas);
      const { relativeL2 } = compare(await gradient.data(), golden.gradient);
      assert.ok(relativeL2 < 1e-4, `${relativeL2}`);
      gradient.dispose();
    }
    for (const one of [targets.embeddings, coefficients, fourier]) one.dispose();
  });

  const small: GuideOptions = { size: { height: 32, width: 40 }, steps: 3, cutouts: 4, seed: 5 };

  async function run(options: GuideOptions): Promise<{ image: Float32Array; losses: (number | null)[] }> {
    const embeddings = tensor2d([1, ...new Array<number>(23).fill(0)], [1, 24]);
    let image = new Float32Array();
    const losses: (number | null)[] = [];
    for await (const step of guide(model, { embeddings, weights: [1] }, options)) {
      image = new Float32Array(step.image);
      losses.push(step.loss);
    }
    embeddings.dispose();
    return { image, losses };
  }

  it("gives the same image for the same seed, and keeps no tensor", async () => {
    await run(small);
    const tensors = memory().numTensors;
    const [first, again, other] = [await run(small), await run(small), await run({ ...small, seed: 6 })];
    assert.equal(memory().numTensors, tensors);
    assert.deepEqual(again, first);
    assert.notDeepEqual(other.image, first.image);
    assert.deepEqual([first.losses.length, first.losses[0], first.image.length], [4, null, 3 * 32 * 40]);
    assert.ok(first.image.every((value) => value >= 0 && value <= 1));
  });

  it("lowers the loss, starts from an image, and stops when asked", async () => {
    const { losses } = await run({
      ...small,
      steps: 40,
      grain: 0,
      smoothness: 0,
      rotation: 0,
      smallestCutout: 0.99,
    });
    assert.ok(losses.at(-1)! < 0.8 * losses[1]!, losses.join(" "));
    const from = Float32Array.from({ length: 3 * 32 * 40 }, (_, i) => 0.2 + 0.6 * ((i % 40) / 40));
    const { image } = await run({ ...small, steps: 1, learningRate: 0, from });
    const { maxAbs } = compare(image, from);
    assert.ok(maxAbs < 1e-4, `${maxAbs}`);
    const tensors = memory().numTensors;
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await assert.rejects(run({ ...small, signal: controller.signal }), { message: "enough" });
    assert.equal(memory().numTensors - tensors, 1, "the targets alone are left");
  });

  it("draws a quarter of the cutouts around the whole canvas, and the others inside it", () => {
    const canvas = { height: 100, width: 150 };
    const cutouts = randomCutouts(new TorchRandom(1), canvas, {
      cutouts: 40,
      smallestCutout: 0.5,
      rotation: 10,
    });
    assert.equal(cutouts.length, 40);
    for (const [i, { centreX, centreY, side, angle }] of cutouts.entries()) {
      if (i < 10) assert.equal(side, 100);
      else assert.ok(side >= 50 && side < 100);
      assert.ok(Math.abs(angle) <= Math.PI / 18);
      for (const [centre, length] of [
        [centreX, 150],
        [centreY, 100],
      ] as const) {
        assert.ok(centre - side / 2 >= -3.001 && centre + side / 2 <= length + 3.001);
      }
    }
  });
});
