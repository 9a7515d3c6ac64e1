import assert from "node:assert/strict";
import { trainAdamw } from "../../lib/probe/adamw.ts";
import { normalizeRows } from "../../lib/probe/features.ts";
import { TorchRandom } from "../../lib/probe/torch-random.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { readProbeGolden, type ProbeGolden } from "../support/probe-golden.ts";

const cases = ["two", "many", "unbalanced"];

describe("CLIP_benchmark's linear probe", () => {
  let golden: ProbeGolden;
  before(async () => {
    golden = await readProbeGolden();
  });

  for (const name of cases) {
    it(`${name}: torch's start and order of examples for seed 0`, () => {
      const { rows, width } = golden.features(name);
      const weight = golden.values(`${name}.adamw.start.weight`) as Float32Array;
      const bias = golden.values(`${name}.adamw.start.bias`) as Float32Array;
      const random = new TorchRandom(0);
      const bound = 1 / Math.sqrt(width);
      assert.deepEqual(random.uniform(weight.length, bound), weight);
      assert.deepEqual(random.uniform(bias.length, bound), bias);
      const order = Array.from({ length: 10 }, () => random.loaderOrder(rows)).flat();
      assert.deepEqual(order, golden.values(`${name}.adamw.order`));
    });

    for (const decay of ["0", "1e-06", "0.1"]) {
      it(`${name}: torch's weights after ten epochs with weight decay ${decay}`, () => {
        const trained = trainAdamw(normalizeRows(golden.features(name)), Number(decay));
        for (const part of ["weight", "bias"] as const) {
          const expected = golden.values(`${name}.adamw.${decay}.${part}`) as Float32Array;
          const { relativeL2 } = compare(Float32Array.from(trained[part]), expected);
          assert.ok(relativeL2 < 1e-4, `${part}: ${relativeL2}`);
        }
      });
    }
  }
});
