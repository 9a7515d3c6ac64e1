/** Gradients of the contrastive loss with respect to every weight and the pixels, against PyTorch's. */
import { strict as assert } from "node:assert";
import { memory, type Tensor } from "@tensorflow/tfjs-core";
import { gradients } from "../../lib/clip/gradients.ts";
import { contrastiveLoss } from "../../lib/clip/loss.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { loadTiny, openGolden, tinyModels } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

const tolerance = 1e-4;

/** A gradient below this share of the largest one is rounding error of 0: for example that of the keys' bias. */
const noise = 1e-7;

for (const name of tinyModels) {
  describe(`gradients: ${name}`, () => {
    it("equal PyTorch's for every parameter and the pixels, and leave no tensor behind", async () => {
      const golden = await openGolden(fixture(`tiny/${name}/gradients.safetensors`));
      const model = await loadTiny(name);
      const pixels = golden.readImage()!;
      const rows = golden.text!;
      await (await model.encodeImage(pixels)).data();
      const before = memory().numTensors;
      const found = await gradients(model, { pixels, rows }, contrastiveLoss);

      const loss = golden.readTap("loss")[0]!;
      assert.ok(Math.abs(found.loss - loss) <= 1e-5 * loss, `loss ${found.loss}, PyTorch ${loss}`);
      const ours = new Map<string, Tensor | null>([...found.weights, ["input.image", found.pixels]]);
      const expected = [...golden.taps.keys()].filter((tap) => tap.startsWith("gradient."));
      const largest = Math.max(...expected.map((tap) => Math.hypot(...golden.readTap(tap))));
      for (const tap of expected) {
        const values = golden.readTap(tap);
        const parameter = tap.slice("gradient.".length);
        const gradient = ours.get(parameter);
        assert.ok(gradient, `no gradient for ${parameter}`);
        const read = found.rows.get(parameter);
        const mine = gradient.dataSync() as Float32Array;
        const whole = read ? scattered(mine, read, golden.taps.get(tap)!) : mine;
        const { relativeL2, maxAbs } = compare(whole, values);
        const size = Math.hypot(...values);
        if (size <= noise * largest)
          assert.ok(maxAbs <= noise * largest, `${parameter}: ${maxAbs}, expected about 0`);
        else assert.ok(relativeL2 <= tolerance, `${parameter}: relative L2 ${relativeL2.toExponential(2)}`);
      }
      assert.equal(ours.size, expected.length, "PyTorch has no other gradients");

      for (const gradient of ours.values()) gradient?.dispose();
      const resident = memory().numTensors;
      const again = await gradients(model, { pixels, rows }, contrastiveLoss);
      for (const gradient of [...again.weights.values(), again.pixels]) gradient?.dispose();
      assert.equal(memory().numTensors, resident);
      assert.ok(resident >= before);
      pixels.dispose();
      await model.dispose();
      await golden.close();
    });
  });
}

/** The gradient of the whole table, from the gradient of the rows that were read. */
function scattered(values: Float32Array, rows: readonly number[], shape: readonly number[]): Float32Array {
  const [count = 0, width = 0] = shape;
  const whole = new Float32Array(count * width);
  for (const [i, row] of rows.entries()) whole.set(values.subarray(i * width, (i + 1) * width), row * width);
  return whole;
}
