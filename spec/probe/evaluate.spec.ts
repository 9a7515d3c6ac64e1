import assert from "node:assert/strict";
import { evaluateClassifier } from "../../lib/probe/evaluate.ts";

describe("evaluateClassifier", () => {
  // Four examples of class 0, two of class 1, none of class 2.
  const predicted = [0, 0, 1, 2, 1, 0];
  const labels = [0, 0, 0, 0, 1, 1];
  const logits = Float32Array.from(predicted.flatMap((c) => [0, 1, 2].map((other) => (other === c ? 1 : 0))));

  it("counts confusions, and computes recall and precision", () => {
    const { confusion, classes, acc1 } = evaluateClassifier(logits, labels, 3);
    assert.deepEqual(confusion, [
      [2, 1, 1],
      [1, 1, 0],
      [0, 0, 0],
    ]);
    assert.equal(acc1, 3 / 6);
    assert.deepEqual(classes, [
      { examples: 4, recall: 2 / 4, precision: 2 / 3 },
      { examples: 2, recall: 1 / 2, precision: 1 / 2 },
      { examples: 0, recall: undefined, precision: 0 },
    ]);
  });

  it("computes the calibration error from probabilities and accuracy", () => {
    // All examples have the same probability and thus one bin: |mean probability − accuracy|.
    const probability = Math.E / (Math.E + 2);
    const { calibrationError } = evaluateClassifier(logits, labels, 3);
    assert.ok(Math.abs(calibrationError - Math.abs(probability - 1 / 2)) < 1e-6);
  });
});
