import assert from "node:assert/strict";
import fc from "fast-check";
import { retrievalMetrics, retrievalRanks } from "../../../lib/eval/metrics/retrieval.ts";
import { cosineMatrix, evaluationCases, type EvaluationCase } from "../../support/evaluation-golden.ts";

function imageOf(golden: EvaluationCase): number[] {
  return golden.case
    .at("captions")
    .integers(0)
    .flatMap((count, image) => new Array<number>(count).fill(image));
}

describe("retrievalMetrics", () => {
  it("equals CLIP_benchmark to the last bit where no similarities are equal", async () => {
    const cases = (await evaluationCases("retrieval")).filter(({ name }) => !name.endsWith("-ties"));
    assert.deepEqual(
      cases.map(({ name }) => name),
      ["one-caption", "five-captions", "uneven"],
    );
    for (const golden of cases) {
      for (const size of [undefined, 64]) {
        const ranks = await retrievalRanks(golden.images, golden.texts, imageOf(golden), size);
        const { metrics, ties } = retrievalMetrics(ranks, golden.case.at("ks").integers(1));
        assert.deepEqual(Object.entries(metrics), Object.entries(golden.metrics), golden.name);
        assert.equal(ties, 0);
      }
    }
  });

  it("ranks the first of equal similarities highest, within what CLIP_benchmark may report", async () => {
    const golden = (await evaluationCases("retrieval")).find(({ name }) => name === "retrieval-ties");
    assert.ok(golden);
    const ranks = await retrievalRanks(golden.images, golden.texts, imageOf(golden));
    const { metrics, ties } = retrievalMetrics(ranks, golden.case.at("ks").integers(1));
    assert.deepEqual(metrics, golden.stable);
    assert.ok(ties > 0);
    for (const [name, k] of [1, 5, 10, 40].flatMap((k) => [["image", k] as const, ["text", k] as const])) {
      const side = name === "image" ? ranks.imageOfCaption : ranks.captionOfImage;
      const share = (list: Int32Array): number => list.filter((rank) => rank < k).length / list.length;
      const figure = golden.metrics[`${name}_retrieval_recall@${k}`]!;
      assert.ok(
        figure >= Math.fround(share(side.worst)) && figure <= Math.fround(share(side.best)),
        `${name} ${k}`,
      );
    }
  });

  it("finds the ranks that sorting finds, whatever the captions and the blocks", async () => {
    const entry = fc.constantFrom(-0.5, 0.5);
    const vector = fc.array(entry, { minLength: 4, maxLength: 4 });
    const images = fc.array(fc.record({ vector, captions: fc.array(vector, { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(images, fc.integer({ min: 1, max: 60 }), async (list, size) => {
        const texts = list.flatMap(({ captions }) => captions);
        if (texts.length === 0) return;
        const owner = list.flatMap(({ captions }, image) => captions.map(() => image));
        const rows = (vectors: number[][]): { values: Float32Array; rows: number; width: number } => ({
          values: Float32Array.from(vectors.flat()),
          rows: vectors.length,
          width: 4,
        });
        const [left, right] = [rows(list.map((image) => image.vector)), rows(texts)];
        const { imageOfCaption, captionOfImage } = await retrievalRanks(left, right, owner, size);
        for (const [caption, scores] of cosineMatrix(right, left).entries()) {
          const order = sorted(scores);
          assert.equal(imageOfCaption.ranks[caption], order.indexOf(owner[caption]!));
          assert.equal(imageOfCaption.nearest[caption], order[0]);
        }
        for (const [image, scores] of cosineMatrix(left, right).entries()) {
          const order = sorted(scores);
          const rank = order.findIndex((caption) => owner[caption] === image);
          assert.equal(captionOfImage.ranks[image], rank === -1 ? texts.length : rank);
          assert.equal(captionOfImage.nearest[image], order[0]);
          assert.ok(captionOfImage.best[image]! <= captionOfImage.ranks[image]);
          assert.ok(captionOfImage.ranks[image] <= captionOfImage.worst[image]!);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("rejects a k above the number of candidates", async () => {
    const rows = { values: Float32Array.from([1, 0, 0, 1]), rows: 2, width: 2 };
    const ranks = await retrievalRanks(rows, rows, [0, 1]);
    assert.throws(
      () => retrievalMetrics(ranks, [3]),
      /recall@3: expected a whole number from 1 to 2, the number of images/,
    );
    assert.throws(() => retrievalMetrics(ranks, [0]), /recall@0/);
  });

  it("rejects captions without an image, and empty datasets", async () => {
    const rows = { values: Float32Array.from([1, 0]), rows: 1, width: 2 };
    const none = { values: new Float32Array(), rows: 0, width: 2 };
    await assert.rejects(retrievalRanks(rows, rows, [1]), /caption 0 belongs to image 1, expected 0 to 0/);
    await assert.rejects(retrievalRanks(rows, rows, []), /each of 1 captions, got 0/);
    await assert.rejects(retrievalRanks(none, rows, [0]), /at least one image and one caption, got 0 and 1/);
    await assert.rejects(retrievalRanks(rows, none, []), /at least one image and one caption, got 1 and 0/);
  });
});

/** Candidates by similarity, the first of equal ones first. */
function sorted(scores: readonly number[]): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
}
