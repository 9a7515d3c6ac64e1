import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { occlusion, occlusionWindows } from "../../../lib/study/saliency/occlusion.ts";
import { assertNear } from "../../support/near.ts";
import { openSaliencyGolden, scoreUnder, type SaliencyGolden } from "../../support/saliency-golden.ts";

describe("occlusion", () => {
  let given: SaliencyGolden; // images of 28 × 42 pixels, 2 × 3 patches
  before(async () => {
    given = await openSaliencyGolden("gelu-mlp");
  });
  after(() => given.close());

  it("covers the image to its edges", () => {
    assert.deepEqual(occlusionWindows([5, 4], 2, 2), [
      ...[
        [0, 0],
        [0, 2],
        [2, 0],
        [2, 2],
        [3, 0],
        [3, 2],
      ],
    ]);
    assert.deepEqual(occlusionWindows([4, 4], 4, 1), [[0, 0]]);
  });

  it("is the drop of the score when a window is covered, whatever the batch", async () => {
    const { model, pixels, ofText } = given;
    const before = memory().numTensors;
    const options = { window: 14, stride: 14 };
    const told: number[][] = [];
    const { score, map } = await occlusion(model, pixels, ofText, {
      ...options,
      batchSize: 4,
      onProgress: (done, total, soFar) =>
        told.push([done, total, soFar.values.filter((value) => value !== 0).length]),
    });
    assert.equal(memory().numTensors, before);
    assert.deepEqual(told, [
      [4, 6, 4 * 14 * 14],
      [6, 6, 6 * 14 * 14],
    ]);
    assertNear([score], [await scoreUnder(given, () => true)], 1e-6);
    const second = score - (await scoreUnder(given, (y, x) => !(y < 14 && x >= 14 && x < 28)));
    assertNear([map.values[0 * 42 + 14]!, map.values[13 * 42 + 27]!], [second, second], 1e-6);
    const single = await occlusion(model, pixels, ofText, { ...options, batchSize: 1 });
    assertNear([...single.map.values], [...map.values], 1e-5);
  });

  it("averages over windows that overlap", async () => {
    const { model, pixels, ofText } = given;
    const { score, map } = await occlusion(model, pixels, ofText, { window: 28, stride: 14 });
    const [left, right] = [
      await scoreUnder(given, (_, x) => x >= 28),
      await scoreUnder(given, (_, x) => x < 14),
    ];
    assertNear([map.values[0]!, map.values[20]!], [score - left, score - (left + right) / 2], 1e-5);
  });

  it("refuses a window larger than the image, and stops when the signal is aborted", async () => {
    const { model, pixels, ofText } = given;
    const before = memory().numTensors;
    await assert.rejects(
      occlusion(model, pixels, ofText, { window: 29 }),
      /occlusion: window: expected at most 28 pixels, the image's side, found 29/,
    );
    const controller = new AbortController();
    const stopped = occlusion(model, pixels, ofText, {
      batchSize: 1,
      signal: controller.signal,
      onProgress: () => {
        controller.abort(new Error("enough"));
      },
    });
    await assert.rejects(stopped, /enough/);
    assert.equal(memory().numTensors, before);
  });
});
