import assert from "node:assert/strict";
import { smoothness } from "../../lib/guide/smoothness.ts";
import { guideCanvas, readGuideGolden } from "../support/guide-golden.ts";

describe("smoothness", () => {
  it("is PyTorch's total variation, with the gradient of finite differences", async () => {
    const golden = await readGuideGolden();
    const gradient = new Float64Array(golden.image.length);
    const value = smoothness(golden.image, guideCanvas, 10, gradient);
    assert.ok(Math.abs(value - golden.smoothness[0]!) < 1e-5, `${value}`);
    for (const i of [0, 43, 100, 44 * 44 - 1, 44 * 44, golden.image.length - 1]) {
      const moved = (by: number): number => {
        const image = new Float64Array(golden.image);
        image[i]! += by;
        return smoothness(image as never, guideCanvas, 10, new Float64Array(image.length));
      };
      const expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      assert.ok(Math.abs(gradient[i]! - expected) < 1e-6, `${i}: ${gradient[i]!}, ${expected}`);
    }
  });
});
