import assert from "node:assert/strict";
import { best } from "../../lib/probe/evaluate.ts";
import { fitLogisticRegression, type LinearClassifier } from "../../lib/probe/logistic-regression.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { assertNear } from "../support/near.ts";
import { readProbeGolden, type ProbeGolden } from "../support/probe-golden.ts";

const strengths = [0.001, 0.316, 100];

describe("logistic regression", () => {
  let golden: ProbeGolden;
  before(async () => {
    golden = await readProbeGolden();
  });

  describe("finds scikit-learn's minimum", () => {
    const cases = ["two", "many", "unbalanced"].flatMap((name) =>
      strengths.map((C) => ({ name, C, balanced: false })),
    );
    const balanced = strengths.map((C) => ({ name: "unbalanced", C, balanced: true }));
    for (const { name, C, balanced: isBalanced } of [...cases, ...balanced]) {
      const title = `${name}.${C}${isBalanced ? ".balanced" : ""}`;
      for (const precision of ["float32", "float64"] as const)
        it(`${title} in ${precision}`, () => {
          const features = golden.features(name);
          const fitted = fitLogisticRegression(features, {
            C,
            precision,
            ...(isBalanced && { classWeight: "balanced" }),
          });
          assert.ok(fitted.converged);
          const weight = golden.values(`${title}.weight`);
          const bias = golden.values(`${title}.bias`);
          assert.ok(
            relativeError(fitted.weight, weight) < 1e-3,
            `weights ${relativeError(fitted.weight, weight)}`,
          );
          assertNear(centred(fitted.bias), centred(bias), 1e-2);
          const ours = probabilities(features, fitted);
          const theirs = golden.values(`${title}.probabilities`);
          assertNear(ours.flat(), [...theirs], 1e-4);
          const classes = bias.length;
          const predicted = features.labels.map((_, i) => best(theirs.slice(i * classes, (i + 1) * classes)));
          assert.deepEqual(ours.map(best), predicted);
        });
    }
  });
});

function relativeError(ours: ArrayLike<number>, theirs: ArrayLike<number>): number {
  assert.equal(ours.length, theirs.length);
  const [difference, size] = [0, 0].map((_, which) =>
    Math.hypot(...Array.from(theirs, (value, i) => (which === 0 ? ours[i]! - value : value))),
  );
  return difference! / size!;
}

function centred(values: ArrayLike<number>): number[] {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return all.map((value) => value - mean);
}

function probabilities(
  { values, rows, width }: LabelledFeatures,
  { weight, bias }: LinearClassifier,
): number[][] {
  return Array.from({ length: rows }, (_, row) => {
    const logits = Array.from(bias, (start, c) => {
      let sum = start;
      for (let i = 0; i < width; i++) sum += weight[c * width + i]! * values[row * width + i]!;
      return sum;
    });
    const most = Math.max(...logits);
    const exponentials = logits.map((logit) => Math.exp(logit - most));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    return exponentials.map((value) => value / total);
  });
}
