import assert from "node:assert/strict";
import { fitAdamwProbe, fitClipBenchmarkProbe, fitProbe, fitRegressionProbe } from "../../lib/probe/fit.ts";
import { randomFeatures } from "../support/random-features.ts";

describe("fitted probes", () => {
  const features = randomFeatures(40, 3, 4);

  it("exist before they are measured, so that they can be saved first", () => {
    for (const { probe, measure } of [fitRegressionProbe(features), fitAdamwProbe(features, null)]) {
      assert.equal(probe.metadata["training_accuracy"], undefined);
      const measured = measure();
      assert.deepEqual(measured.probe.weight, probe.weight);
      assert.equal(measured.probe.metadata["training_accuracy"], `${measured.trainingAccuracy}`);
      assert.equal(measured.trainingAccuracy, probe.evaluate(probe.acceptLabelled(features)).acc1);
    }
  });

  it("are the same in one step", () => {
    const { measure, iterations } = fitRegressionProbe(features);
    assert.deepEqual(fitProbe(features), { ...measure(), iterations, converged: true });
    const { measure: measureAdamw } = fitAdamwProbe(features, null);
    assert.deepEqual(fitClipBenchmarkProbe(features, null), {
      ...measureAdamw(),
      weightDecay: 0,
      trials: [],
    });
  });

  it("do not keep the paths of their features", () => {
    const metadata = { paths: "[]", model: "m", class_ids: "stale" };
    const { probe } = fitProbe({ ...features, metadata });
    assert.deepEqual(Object.keys(probe.metadata), ["model", "recipe", "settings", "training_accuracy"]);
  });
});
