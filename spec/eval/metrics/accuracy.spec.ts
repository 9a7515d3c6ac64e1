import assert from "node:assert/strict";
import { zeroShotAccuracy } from "../../../lib/eval/metrics/accuracy.ts";
import { cosineMatrix, evaluationCases } from "../../support/evaluation-golden.ts";

const identity = { values: Float32Array.from([1, 0, 0, 1]), rows: 2, width: 2 };

describe("zeroShotAccuracy", () => {
  it("equals CLIP_benchmark where no scores are equal", async () => {
    const cases = (await evaluationCases("accuracy")).filter(({ name }) => !name.endsWith("-ties"));
    assert.deepEqual(
      cases.map(({ name }) => name),
      ["plain", "absent", "four", "five"],
    );
    for (const { name, case: golden, images, texts, metrics } of cases) {
      const found = await zeroShotAccuracy(images, golden.at("labels").integers(0), texts, 200);
      near(found.acc1, metrics["acc1"], name);
      near(found.acc5 ?? null, metrics["acc5"], name);
      near(found.meanPerClassRecall, metrics["mean_per_class_recall"], name);
      assert.equal(found.ties, 0, name);
      assert.equal(found.images, images.rows);
    }
  });

  it("ranks the first of equal scores highest, within what CLIP_benchmark may report", async () => {
    const [{ case: golden, images, texts, metrics, stable } = assert.fail()] = (
      await evaluationCases("accuracy")
    ).filter(({ name }) => name === "accuracy-ties");
    const labels = golden.at("labels").integers(0);
    const found = await zeroShotAccuracy(images, labels, texts);
    near(found.acc1, stable["acc1"], "acc1");
    near(found.acc5 ?? null, stable["acc5"], "acc5");
    near(found.meanPerClassRecall, metrics["mean_per_class_recall"], "argmax takes the first in PyTorch too");
    const ranks = cosineMatrix(images, texts).map((row, image) => {
      const own = row[labels[image]!]!;
      const above = row.filter((score) => score > own).length;
      return { best: above, worst: above + row.filter((score) => score === own).length - 1 };
    });
    const share = (isHit: (rank: { best: number; worst: number }) => boolean): number =>
      ranks.filter(isHit).length / ranks.length;
    for (const [name, k] of [
      ["acc1", 1],
      ["acc5", 5],
    ] as const) {
      const bounds = [share(({ worst }) => worst < k), share(({ best }) => best < k)] as const;
      assert.ok(bounds[0] < bounds[1]);
      for (const figure of [metrics[name]!, found[name]!]) {
        assert.ok(
          figure >= bounds[0] - 1e-12 && figure <= bounds[1] + 1e-12,
          `${name} ${figure}: ${bounds.join(" to ")}`,
        );
      }
    }
    const tied = ranks.filter(({ best, worst }) => [1, 5].some((k) => best < k && worst >= k));
    assert.equal(found.ties, tied.length);
    assert.ok(tied.length > 0);
  });

  it("leaves out images without a label, but predicts their class", async () => {
    const images = { values: Float32Array.from([2, 1, 0, 3, 1, 0]), rows: 3, width: 2 };
    const found = await zeroShotAccuracy(images, [0, null, 1], identity);
    assert.equal(found.images, 2);
    assert.equal(found.acc1, 1 / 2);
    assert.deepEqual([...found.predictions], [0, 1, 0]);
    assert.deepEqual([...found.confusion[1]!], [[0, 1]]);
  });

  it("rejects labels that are not classes, or too few, or none", async () => {
    const images = { values: Float32Array.from([2, 1]), rows: 1, width: 2 };
    await assert.rejects(zeroShotAccuracy(images, [2], identity), /label of image 0 is 2, expected 0 to 1/);
    await assert.rejects(zeroShotAccuracy(images, [], identity), /a label for each of 1 images, got 0/);
    await assert.rejects(zeroShotAccuracy(images, [null], identity), /at least one labelled example/);
  });

  it("rejects embeddings that are not finite", async () => {
    const images = { values: Float32Array.from([1, NaN]), rows: 1, width: 2 };
    await assert.rejects(zeroShotAccuracy(images, [0], identity), /finite embeddings, found NaN in row 0/);
  });
});

function near(found: number | null, expected: number | null | undefined, what: string): void {
  if (expected === null) assert.equal(found, null, what);
  else assert.ok(Math.abs(found! - expected!) < 1e-12, `${what}: ${found} instead of ${expected}`);
}
