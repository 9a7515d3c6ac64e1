/** Gradients of the contrastive loss against those of the origin's own classes (tools/golden/origins.py). */
import { strict as assert } from "node:assert";
import { slice, type Tensor } from "@tensorflow/tfjs-core";
import { gradients } from "../../lib/clip/gradients.ts";
import { contrastiveLoss } from "../../lib/clip/loss.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { findLayout } from "../../lib/node/models/foreign-model.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32, type TensorStore } from "../../lib/tensor/store.ts";
import { openGolden } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

const tolerance = 1e-4;

/** A gradient below this share of the largest one is rounding error of 0: for example that of the keys' bias. */
const noise = 1e-7;

/** Whether the logit scale is a constant of the origin's, without a gradient. */
const origins = {
  "chinese-clip": false,
  "cn-clip": false,
  "clip-italian": true,
  "clip-model": false,
  "rinna-clip": false,
  "rinna-cloob": true,
};

const prefix = "gradient.";

/** The gradients of a golden, under the names of the parameters. */
function gradientsIn(golden: TensorStore): TensorStore {
  const names = [...golden.tensors].filter(([name]) => name.startsWith(prefix));
  return {
    name: golden.name,
    metadata: {},
    tensors: new Map(names.map(([name, info]) => [name.slice(prefix.length), info])),
    read: (name, ...part) => golden.read(prefix + name, ...part),
    close: () => golden.close(),
  };
}

describe("gradients of the origin", () => {
  for (const [name, isScaleFixed] of Object.entries(origins)) {
    it(`are ours for every parameter and the pixels: ${name}`, async () => {
      const folder = fixture(`origins/${name}`);
      const file = await SafetensorsFile.open(await FileSource.open(`${folder}/gradients.safetensors`));
      // The layout translates gradients as it translates the parameters that they belong to.
      const layout = await findLayout(folder);
      const { store } = await layout!.translate(gradientsIn(file), { keepLogitScale: true });
      const model = await loadModel(folder);
      const golden = await openGolden(`${folder}/golden.safetensors`);
      const images = golden.readImage()!;
      const pixels = slice(images, 0, 2);
      const rows = golden.text!.slice(0, 2);
      const found = await gradients(model, { pixels, rows }, contrastiveLoss);

      const loss = (await readFloat32(file, "loss"))[0]!;
      assert.ok(Math.abs(found.loss - loss) <= 1e-5 * loss, `loss ${found.loss}, the origin's ${loss}`);
      const expected = new Map([["pixels", await readFloat32(file, "pixels")]]);
      for (const weight of store.tensors.keys()) {
        if (weight === "logit_scale" && isScaleFixed) continue;
        expected.set(weight, await readFloat32(store, weight));
      }
      assert.equal(expected.size, model.weights.store.tensors.size + (isScaleFixed ? 0 : 1));
      const ours = new Map<string, Tensor | null>([...found.weights, ["pixels", found.pixels]]);
      const largest = Math.max(...[...expected.values()].map((values) => Math.hypot(...values)));
      for (const [parameter, values] of expected) {
        const gradient = ours.get(parameter);
        assert.ok(gradient, `no gradient for ${parameter}`);
        const read = found.rows.get(parameter);
        const mine = await gradient.data<"float32">();
        const whole = read ? scattered(mine, read, values.length, gradient.shape[1]!) : mine;
        const { relativeL2, maxAbs } = compare(whole, values);
        if (Math.hypot(...values) <= noise * largest)
          assert.ok(maxAbs <= noise * largest, `${parameter}: ${maxAbs}, expected about 0`);
        else assert.ok(relativeL2 <= tolerance, `${parameter}: relative L2 ${relativeL2.toExponential(2)}`);
      }
      for (const tensor of [...ours.values(), images, pixels]) tensor?.dispose();
      await model.dispose();
      await Promise.all([golden.close(), store.close()]);
    });
  }
});

/** The gradient of the whole table, from the gradient of the rows that were read. */
function scattered(values: Float32Array, rows: readonly number[], size: number, width: number): Float32Array {
  const whole = new Float32Array(size);
  for (const [i, row] of rows.entries()) whole.set(values.subarray(i * width, (i + 1) * width), row * width);
  return whole;
}
