/** Against torch.fft.irfft2 and lucent's colours (tools/golden/guide.py). */
import assert from "node:assert/strict";
import { memory, tensor4d } from "@tensorflow/tfjs-core";
import { FourierImage } from "../../lib/guide/fourier-image.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { guideCanvas, readGuideGolden, type GuideGolden } from "../support/guide-golden.ts";

describe("FourierImage", () => {
  let golden: GuideGolden;
  let fourier: FourierImage;
  before(async () => {
    golden = await readGuideGolden();
    fourier = new FourierImage({ ...guideCanvas, decay: 1.5 });
  });
  after(() => {
    fourier.dispose();
  });

  it("renders coefficients as PyTorch does", async () => {
    const coefficients = tensor4d(golden.coefficients, fourier.shape);
    const before = memory().numTensors;
    const image = fourier.render(coefficients);
    assert.deepEqual(image.shape, [3, 44, 44]);
    const { maxAbs } = compare(await image.data(), golden.image);
    assert.ok(maxAbs < 1e-6, `${maxAbs}`);
    image.dispose();
    assert.equal(memory().numTensors, before);
    coefficients.dispose();
  });

  for (const [height, width] of [
    [44, 44],
    [9, 14],
    [10, 7],
  ] as const) {
    it(`gives an image of ${height} x ${width} back from its coefficients`, async () => {
      const own = new FourierImage({ height, width, decay: 1 });
      const image = Float32Array.from(
        { length: 3 * height * width },
        (_, i) => 0.5 + 0.4 * Math.sin(i * 1.7),
      );
      const coefficients = tensor4d(own.coefficientsOf(image), own.shape);
      const rendered = own.render(coefficients);
      const { maxAbs } = compare(await rendered.data(), image);
      assert.ok(maxAbs < 1e-5, `${maxAbs}`);
      for (const one of [coefficients, rendered, own]) one.dispose();
    });
  }
});
