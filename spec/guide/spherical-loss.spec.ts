import assert from "node:assert/strict";
import { engine, tensor2d, type Tensor } from "@tensorflow/tfjs-core";
import { sphericalLoss } from "../../lib/guide/spherical-loss.ts";
import { registerTfjsGradients } from "../../lib/nn/operations/tfjs-gradients.ts";

/** The loss of an image at an angle to its only prompt, and the derivative along the prompt. */
function at(angle: number, weight = 1): { loss: number; slope: number } {
  registerTfjsGradients();
  const image = tensor2d([Math.cos(angle), Math.sin(angle)], [1, 2]);
  const embeddings = tensor2d([1, 0], [1, 2]);
  const loss = (): Tensor => sphericalLoss(image, { embeddings, weights: [weight] });
  const { value, grads } = engine().gradients(loss, [image], undefined, true);
  return { loss: value.dataSync()[0]!, slope: grads[0]!.dataSync()[0]! };
}

describe("sphericalLoss", () => {
  it("is half the squared angle, as 2 asin²(‖i − t‖ / 2)", () => {
    for (const angle of [0.1, 0.5, 1, Math.PI / 2, 2.5]) {
      const chord = 2 * Math.sin(angle / 2);
      assert.ok(Math.abs(at(angle).loss - 2 * Math.asin(chord / 2) ** 2) < 1e-5, `${angle}`);
      assert.ok(Math.abs(at(angle).slope + angle / Math.sin(angle)) < 1e-4, `${angle}`);
    }
  });

  it("has a finite slope at the prompt and at its opposite", () => {
    assert.ok(Math.abs(at(0).slope + 1) < 1e-2, `${at(0).slope}`);
    assert.ok(Number.isFinite(at(Math.PI).slope));
    assert.ok(Math.abs(at(1, -0.3).loss + 0.15) < 1e-5);
  });
});
