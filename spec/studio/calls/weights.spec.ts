/** Against lib/study, whose figures are checked in spec/study/weights.spec.ts. */
import assert from "node:assert/strict";
import { circuits, tensor, weights } from "../../../lib/studio/calls/weights.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { headNorms, filterSheet, positionCosines, tensorHistogram } from "../../../lib/study/weights.ts";
import { demoPasses, recordingContext } from "../../support/passes.ts";

describe("the calls of weights", () => {
  let passes: Passes;
  const context = recordingContext();
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  it("give the figures of the library", async () => {
    const { visual, weights: stored } = passes.model;
    const found = await weights(passes, { absoluteScale: true }, context);
    const { raster: drawn, scale } = await filterSheet(visual, { absoluteScale: true });
    assert.deepEqual([...found.filters.rgb], [...Uint8ClampedArray.from(drawn.rgb)]);
    assert.equal(found.largest, scale!.high);
    assert.deepEqual(found.positions, (await positionCosines(visual)).values);
    assert.deepEqual(
      found.tensors.map(({ name }) => name),
      [...stored.store.tensors.keys()],
    );
    const all = await circuits(passes, {}, context);
    assert.deepEqual(all[2], await headNorms(visual, 2));
    assert.deepEqual(context.done.at(-1), [4, 4]);
    const { histogram, statistics } = await tensor(passes, { name: "visual.proj" }, context);
    assert.deepEqual(histogram, await tensorHistogram(stored.store, "visual.proj"));
    assert.ok(statistics.max! > statistics.min!);
  });

  it("refuse a tensor that the model does not have", async () => {
    await assert.rejects(async () => tensor(passes, { name: "nothing" }, context), /no tensor "nothing"/);
  });
});
