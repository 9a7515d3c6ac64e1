/** Gradients of the contrastive loss for every weight, the pixels, attention and the residual stream, against PyTorch's. */
import { strict as assert } from "node:assert";
import { memory, slice, tensor, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { gradients } from "../../lib/clip/gradients.ts";
import { contrastiveLoss } from "../../lib/clip/loss.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { loadTiny, openGolden, tinyModels } from "../support/golden.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";
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
        const mine = await gradient.data<"float32">();
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

    for (const residency of ["resident", "streamed"] as const) {
      it(`equal PyTorch's at attention probabilities and the residual stream, with ${residency} weights`, async () => {
        const golden = await openGolden(fixture(`tiny/${name}/gradients.safetensors`));
        const model = await loadTiny(name, residency);
        const pixels = golden.readImage()!;
        const rows = golden.text!;
        const ours = new Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>();
        const globs = ["*attn#probabilities", "*resblocks.?"];
        const ofRoberta = ["*self#probabilities", "*encoder.layer.?"];
        const isRoberta = golden.taps.has("at.text.transformer.encoder.layer.0");
        const found = await withoutBlockingReads(() =>
          gradients(model, { pixels, rows }, contrastiveLoss, {
            of: isRoberta ? [...globs, ...ofRoberta] : globs,
            onTap: async (tap, gradient) => {
              ours.set(tap, { shape: gradient.shape, values: await gradient.data<"float32">() });
            },
          }),
        );
        assert.deepEqual([found.weights.size, found.pixels], [0, null]);
        const expected = [...golden.taps].filter(([tap]) => tap.startsWith("at."));
        assert.deepEqual([...ours.keys()].sort(), expected.map(([tap]) => tap.slice("at.".length)).sort());
        for (const [tap, shape] of expected) {
          const mine = ours.get(tap.slice("at.".length))!;
          const reference = await cut(golden.readTap(tap), shape, mine.shape);
          const { relativeL2 } = compare(mine.values, reference);
          assert.ok(relativeL2 <= tolerance, `${tap}: relative L2 ${relativeL2.toExponential(2)}`);
        }
        pixels.dispose();
        await model.dispose();
        await golden.close();
      });
    }
  });
}

/** The beginning of each axis: PyTorch pads English texts to the whole context. */
async function cut(
  values: Float32Array,
  shape: readonly number[],
  to: readonly number[],
): Promise<Float32Array> {
  const begin = to.map(() => 0);
  const part = tidy(() => slice(tensor(values, [...shape]), begin, [...to]));
  return disposing(part, (kept) => kept.data<"float32">());
}

/** The gradient of the whole table, from the gradient of the rows that were read. */
function scattered(values: Float32Array, rows: readonly number[], shape: readonly number[]): Float32Array {
  const [count = 0, width = 0] = shape;
  const whole = new Float32Array(count * width);
  for (const [i, row] of rows.entries()) whole.set(values.subarray(i * width, (i + 1) * width), row * width);
  return whole;
}
