/** Against lib/trace, whose figures are checked in spec/trace/compare-traces.spec.ts. */
import assert from "node:assert/strict";
import { differences } from "../../../lib/studio/calls/compare.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import type { TapDifference } from "../../../lib/trace/compare-traces.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

describe("the call differences", () => {
  let passes: Passes;
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  it("compares every tap of two sides, and sends each comparison", async () => {
    const [first, second] = [
      await passes.image(await sampleImage("three-brown-stars"), {}),
      await passes.image(await sampleImage("two-red-circles"), {}),
    ];
    const { result: text } = await passes.text("three brown stars", {});
    const context = recordingContext<TapDifference>();
    const a = [first.result.trace, text.trace];
    const b = [second.result.trace, text.trace];
    const found = await differences(passes, { a, b }, context);
    assert.deepEqual(context.updates, found);
    assert.deepEqual(
      found.map(({ name }) => name),
      [...first.result.taps, ...text.taps].map(({ name }) => name),
    );
    for (const { name, relativeL2 } of found) {
      assert.equal(relativeL2 === 0, /^(text|input\.text)/.test(name), name);
    }
  });

  it("refuses a pass that is no longer kept", async () => {
    await assert.rejects(
      async () => differences(passes, { a: ["image gone"], b: [] }, recordingContext<TapDifference>()),
      /no longer in memory/,
    );
  });
});
