import assert from "node:assert/strict";
import { best } from "../../lib/tasks/confusions.ts";
import { fitLogisticRegression, type LinearClassifier } from "../../lib/probe/logistic-regression.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { assertNear } from "../support/near.ts";
import { randomFeatures } from "../support/random-features.ts";
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

  describe("does not depend on the unit of the features", () => {
    // Overlapping classes, so that the minimum is finite without a penalty.
    const features = randomFeatures(300, 4, 3, 3);
    const scaled = (factor: number): LabelledFeatures => ({
      ...features,
      values: features.values.map((value) => value * factor),
    });
    const expected = fitLogisticRegression(features, { C: 1e20, precision: "float64" });
    for (const precision of ["float32", "float64"] as const) {
      for (const factor of [1e-20, 1e-5, 1e3, 1e10, 1e20, 1e29]) {
        it(`${factor} in ${precision}`, () => {
          const fitted = fitLogisticRegression(scaled(factor), { C: 1e20, precision });
          assert.ok(fitted.converged);
          const weight = fitted.weight.map((value) => value * factor);
          // The penalty matters for tiny features alone, where C = 1e20 is not infinite.
          if (factor > 1e-10) assert.ok(relativeError(weight, expected.weight) < 1e-4);
        });
      }
    }

    it("refuses features that float32 cannot sum", () => {
      assert.throws(
        () => fitLogisticRegression(scaled(1e32)),
        /^InputError: random: row 0 of the features holds .*e\+3[12], expected numbers up to 1e\+30, which a fit in float32 can represent/,
      );
    });
  });

  it("says whether the minimum was reached", () => {
    const features = randomFeatures(60, 4, 3);
    const fitted = fitLogisticRegression(features, { maxIterations: 2 });
    assert.deepEqual([fitted.converged, fitted.iterations], [false, 2]);
    assert.equal(fitLogisticRegression(features).converged, true);
  });

  it("refuses labels that are not numbered, without memory for those between", () => {
    const features = { ...randomFeatures(4, 2, 2), labels: [0, 999_999_999, 0, 999_999_999] };
    assert.throws(
      () => fitLogisticRegression(features),
      /999999998 of the 1000000000 classes have no rows among the 4 \(1, 2, 3, 4, 5, …\)/,
    );
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
