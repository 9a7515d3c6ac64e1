import assert from "node:assert/strict";
import { averagePrecision, meanAveragePrecision } from "../../../lib/eval/metrics/average-precision.ts";
import { cosineMatrix, evaluationCases, type EvaluationCase } from "../../support/evaluation-golden.ts";

async function golden(wanted: string): Promise<EvaluationCase & { readonly positives: number[][] }> {
  const found = (await evaluationCases("multilabel")).find(({ name }) => name === wanted);
  assert.ok(found);
  return {
    ...found,
    positives: found.case
      .at("positives")
      .items()
      .map((list) => list.integers(0)),
  };
}

describe("meanAveragePrecision", () => {
  it("equals CLIP_benchmark, with a class that has no positives", async () => {
    const { images, texts, metrics, positives } = await golden("multilabel");
    for (const size of [undefined, 100]) {
      const found = await meanAveragePrecision(images, positives, texts, size);
      assert.ok(Math.abs(found.meanAveragePrecision - metrics["mean_average_precision"]!) < 1e-6);
      assert.equal(found.ties, 0);
      assert.deepEqual(found.classes[2], { averagePrecision: 0, positives: 0, ties: 0 });
    }
  });

  it("keeps the order of the dataset for equal scores, within what CLIP_benchmark may report", async () => {
    const { images, texts, metrics, stable, positives } = await golden("multilabel-ties");
    const found = await meanAveragePrecision(images, positives, texts);
    assert.ok(Math.abs(found.meanAveragePrecision - stable["mean_average_precision"]!) < 1e-6);
    assert.ok(found.ties > 0);
    const [worst, best] = [-1, 1].map((sign) => {
      const perClass = cosineMatrix(texts, images).map((scores, c) => {
        const isPositive = positives.map((classes) => classes.includes(c));
        const order = [...scores.keys()].sort(
          (a, b) => scores[b]! - scores[a]! || sign * (Number(isPositive[b]) - Number(isPositive[a])),
        );
        let hits = 0;
        const precisions = order.flatMap((image, rank) =>
          isPositive[image] === true ? [++hits / (rank + 1)] : [],
        );
        return precisions.reduce((sum, one) => sum + one, 0) / Math.max(1, precisions.length);
      });
      return perClass.reduce((sum, one) => sum + one, 0) / perClass.length;
    });
    for (const figure of [metrics["mean_average_precision"]!, found.meanAveragePrecision]) {
      assert.ok(figure > worst! && figure < best!, `${figure}: ${worst} to ${best}`);
    }
  });

  it("rejects classes without a name, and images without a list", async () => {
    const rows = { values: Float32Array.from([1, 0]), rows: 1, width: 2 };
    await assert.rejects(meanAveragePrecision(rows, [[1]], rows), /image 0 has the class 1, expected 0 to 0/);
    await assert.rejects(meanAveragePrecision(rows, [], rows), /got 0 for 1/);
  });
});

describe("averagePrecision", () => {
  it("is the mean of the precisions at each positive", () => {
    // Ranks of the positives: 1 and 3, so (1/1 + 2/3) / 2.
    const found = averagePrecision(Float32Array.from([0.1, 0.9, 0.5, 0.7]), [0, 1, 1, 0]);
    assert.equal(found.averagePrecision, Math.fround((1 + Math.fround(2 / 3)) / 2));
    assert.equal(found.ties, 0);
  });

  it("counts equal scores of positives and negatives as ties", () => {
    assert.equal(averagePrecision(Float32Array.from([1, 1, 2, 2, 3]), [1, 1, 1, 0, 0]).ties, 2);
  });
});
