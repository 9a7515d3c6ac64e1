import assert from "node:assert/strict";
import { fitAdamw, trainAdamw } from "../../lib/probe/adamw.ts";
import { normalizeRows, selectRows } from "../../lib/features/features.ts";
import { takeShots } from "../../lib/probe/shots.ts";
import { TorchRandom } from "../../lib/tensor/torch-random.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { assertNear } from "../support/near.ts";
import { readProbeGolden, type ProbeGolden } from "../support/probe-golden.ts";

const cases = ["two", "many", "unbalanced"];

describe("CLIP_benchmark's linear probe", () => {
  let golden: ProbeGolden;
  before(async () => {
    golden = await readProbeGolden();
  });

  for (const name of cases) {
    it(`${name}: has PyTorch's initial weights and order of examples for seed 0`, () => {
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
      it(`${name}: has PyTorch's weights after ten epochs with weight decay ${decay}`, () => {
        const trained = trainAdamw(normalizeRows(golden.features(name)), Number(decay));
        for (const part of ["weight", "bias"] as const) {
          const expected = golden.values(`${name}.adamw.${decay}.${part}`) as Float32Array;
          const { relativeL2 } = compare(Float32Array.from(trained[part]), expected);
          assert.ok(relativeL2 < 1e-4, `${part}: ${relativeL2}`);
        }
      });
    }

    it(`${name}: searches the weight decay like CLIP_benchmark, and fits its weights`, () => {
      const all = normalizeRows(golden.features(name));
      const rows = Array.from({ length: all.rows }, (_, row) => row);
      const kept = Math.floor((all.rows * 2) / 3);
      const [train, validation] = [rows.slice(0, kept), rows.slice(kept)].map((of) => selectRows(all, of));
      const found = fitAdamw(train!, validation!);
      const values = (part: string): number[] => [...golden.values(`${name}.search.${part}`)];
      // The original tries some decays more than once.
      const accuracies = values("accuracies");
      const expected = new Map(values("decays").map((decay, i) => [decay.toPrecision(6), accuracies[i]!]));
      assert.deepEqual(
        found.trials.map(({ weightDecay }) => weightDecay.toPrecision(6)),
        [...expected.keys()],
      );
      assertNear(
        found.trials.map(({ accuracy }) => accuracy),
        [...expected.values()],
        1e-9,
      );
      assertNear([found.weightDecay], values("decay"), 1e-9);
      for (const part of ["weight", "bias"] as const) {
        const { relativeL2 } = compare(Float32Array.from(found[part]), Float32Array.from(values(part)));
        assert.ok(relativeL2 < 1e-4, `${part}: ${relativeL2}`);
      }
    });

    for (const shots of [1, 5]) {
      it(`${name}: takes CLIP_benchmark's rows for ${shots} shots`, () => {
        const features = golden.features(name);
        const chosen = golden.values(`${name}.shots.${shots}`) as number[];
        assert.deepEqual(takeShots(features, shots), selectRows(features, chosen));
      });
    }
  }
});
