import assert from "node:assert/strict";
import { ClassificationCounts, classificationMetrics } from "../../lib/tasks/metrics.ts";

describe("classificationMetrics", () => {
  it("matches scikit-learn 1.9.1", () => {
    // top_k_accuracy_score (k = 1, 5) and balanced_accuracy_score of the same scores; class 6 has no examples.
    const labels = Array.from({ length: 40 }, (_, i) => (i * 5) % 6);
    const scores = labels.flatMap((label, i) =>
      Array.from({ length: 7 }, (_, j) => {
        const raw = ((i * i * 31 + j * j * 17 + i * j * 7 + j * 3) % 101) * 10 + j;
        return i % 3 !== 0 && j === label ? raw + 400 : raw;
      }),
    );
    const { acc1, acc5, meanPerClassRecall } = classificationMetrics(scores, labels, 7);
    assert.equal(acc1, 0.375);
    assert.equal(acc5, 0.9);
    assert.ok(Math.abs(meanPerClassRecall - 0.36904761904761907) < 1e-12, `${meanPerClassRecall}`);
  });

  it("gives each class the same weight in the mean per-class recall", () => {
    // Three examples of class 0, two of them correct; one of class 1, correct; none of class 2.
    const scores = [9, 1, 0, 5, 4, 0, 1, 2, 0, 0, 1, 0];
    assert.deepEqual(classificationMetrics(scores, [0, 0, 0, 1], 3), {
      acc1: 3 / 4,
      acc5: undefined,
      meanPerClassRecall: (2 / 3 + 1) / 2,
    });
  });

  it("ranks the first of equal scores highest, and NaN lowest", () => {
    assert.equal(classificationMetrics([1, 1, 1, 1], [0, 1], 2).acc1, 1 / 2);
    assert.equal(classificationMetrics([NaN, NaN], [0], 2).acc1, 0);
    assert.equal(classificationMetrics([NaN, 1], [1], 2).acc1, 1);
  });

  it("counts examples that only the order of equal scores makes right or wrong", () => {
    const ties = (scores: number[], label: number): number => {
      const counts = new ClassificationCounts(scores.length);
      counts.add(scores, [label]);
      return counts.ties;
    };
    assert.equal(ties([1, 1, 0], 0), 1);
    assert.equal(ties([1, 1, 0], 1), 1);
    assert.equal(ties([2, 1, 1], 1), 0, "wrong in any order, and three classes have no acc5");
    assert.equal(ties([9, 8, 7, 6, 1, 1], 5), 1, "the fifth or the sixth");
    assert.equal(ties([9, 8, 7, 6, 5, 1, 1], 5), 0);
    assert.equal(ties([2, 1, 0], 0), 0);
  });

  it("rejects labels that do not match the scores", () => {
    const message = (labels: number[], scores: number[]): void => {
      classificationMetrics(scores, labels, 2);
    };
    assert.throws(() => {
      message([], []);
    }, /at least one labelled example/);
    assert.throws(() => {
      message([0], [1, 2, 3]);
    }, /expected 1 × 2 scores for 1 labels, got 3/);
    assert.throws(() => {
      message([2], [1, 2]);
    }, /label 0: expected a whole number from 0 to 1, got 2/);
  });
});
