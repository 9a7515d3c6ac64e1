import assert from "node:assert/strict";
import { evaluateClassifier, RunningEvaluation } from "../../lib/probe/evaluate.ts";

describe("evaluateClassifier", () => {
  // Four examples of class 0, two of class 1, none of class 2.
  const predicted = [0, 0, 1, 2, 1, 0];
  const labels = [0, 0, 0, 0, 1, 1];
  const logits = Float32Array.from(predicted.flatMap((c) => [0, 1, 2].map((other) => (other === c ? 1 : 0))));

  it("counts confusions, and computes recall and precision", () => {
    const { confusion, classes, acc1 } = evaluateClassifier(logits, labels, 3);
    assert.deepEqual(
      confusion.map((row) => [...row]),
      [
        [
          [0, 2],
          [1, 1],
          [2, 1],
        ],
        [
          [1, 1],
          [0, 1],
        ],
        [],
      ],
    );
    assert.equal(acc1, 3 / 6);
    assert.deepEqual(classes, [
      { examples: 4, recall: 2 / 4, precision: 2 / 3 },
      { examples: 2, recall: 1 / 2, precision: 1 / 2 },
      { examples: 0, recall: undefined, precision: 0 },
    ]);
  });

  it("gives the same figures for examples that arrive in blocks", () => {
    const running = new RunningEvaluation(3);
    running.add(logits.subarray(0, 12), labels.slice(0, 4));
    running.add(logits.subarray(12), labels.slice(4));
    assert.deepEqual(running.result(), evaluateClassifier(logits, labels, 3));
  });

  it("takes memory for the confusions that occur, not for the square of the classes", () => {
    const classes = 100_000;
    const { confusion, acc1 } = evaluateClassifier(new Float32Array(2 * classes), [0, 99_999], classes);
    assert.equal(acc1, 1 / 2);
    assert.deepEqual([...confusion[99_999]!], [[0, 1]]);
  });

  it("computes the calibration error from probabilities and accuracy", () => {
    // All examples have the same probability and thus one bin: |mean probability − accuracy|.
    const probability = Math.E / (Math.E + 2);
    const { calibrationError } = evaluateClassifier(logits, labels, 3);
    assert.ok(Math.abs(calibrationError - Math.abs(probability - 1 / 2)) < 1e-6);
  });
});
