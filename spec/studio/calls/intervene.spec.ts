import assert from "node:assert/strict";
import { memory, tensor4d } from "@tensorflow/tfjs-core";
import { causal, intervene, sweep } from "../../../lib/studio/calls/intervene.ts";
import { lens } from "../../../lib/studio/calls/lens.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { labelDirection } from "../../../lib/study/saliency/direction.ts";
import { sweepHeads } from "../../../lib/study/sweep.ts";
import { assertNear } from "../../support/near.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

const labels = ["three brown stars", "two brown stars", "two red circles"];

describe("the calls of interventions", () => {
  let passes: Passes;
  let trace: string;
  let other: string;
  let question: { trace: string; labels: string[]; templates: string[] };
  before(async () => {
    passes = await demoPasses();
    trace = (await passes.image(await sampleImage("three-brown-stars"), {})).result.trace;
    other = (await passes.image(await sampleImage("two-red-circles"), {})).result.trace;
    question = { trace, labels, templates: ["{}"] };
  });
  after(() => passes.model.dispose());

  const answersOf = async (of: string): Promise<readonly number[]> =>
    (await lens(passes, { ...question, trace: of }, recordingContext())).logits.at(-1)!;

  it("sweep the heads as the library does, in logits, and leave no tensors behind", async () => {
    const context = recordingContext();
    const found = await sweep(passes, { ...question, label: 0, by: "zero" }, context);
    const before = memory().numTensors;
    await sweep(passes, { ...question, label: 0, by: "zero" }, context);
    assert.equal(memory().numTensors, before);
    assert.deepEqual(context.done.at(-1), [16, 16]);
    const features = await passes.model.encodeText(labels, { normalize: true });
    const direction = labelDirection(features, 0, true);
    const values = await passes.find(trace).trace.read("input.image");
    const pixels = tensor4d(values.slice(), [1, 3, ...passes.model.preprocess.size]);
    const expected = await sweepHeads(passes.model, { pixels }, direction);
    const { scale } = await passes.info("", "");
    assertNear(
      found.changes.flatMap((layer) => [...layer]),
      expected.changes.flatMap((layer) => [...layer].map((change) => change * scale)),
      1e-4,
    );
    for (const one of [features, direction, pixels]) one.dispose();
  });

  it("change nothing where nothing is selected", async () => {
    const tap = "visual.transformer.resblocks.1.attn#probabilities";
    const found = await intervene(passes, { ...question, tap, by: "zero", heads: [] }, recordingContext());
    assert.deepEqual(found.after, found.before);
    assert.deepEqual(found.states, [0, 0, 0, 0, 0]);
    assertNear(found.before, await answersOf(trace), 1e-4);
  });

  it("give the other image's answer where all of its state is put in", async () => {
    const tap = "visual.transformer.resblocks.1";
    const found = await intervene(passes, { ...question, tap, by: "other", other }, recordingContext());
    assertNear(found.after, await answersOf(other), 1e-4);
    // The states before the change, and the changed one itself, which is seen as the block has left it.
    assert.deepEqual(found.states.slice(0, 3), [0, 0, 0]);
    assert.ok(found.states.slice(3).every((change) => change > 0));
  });

  it("bring the answer back by the class token alone after the last block", async () => {
    const { clean, corrupted, recovered } = await causal(
      passes,
      { ...question, label: 0, other },
      recordingContext(),
    );
    assert.ok(clean > corrupted);
    assertNear([recovered.at(-1)![0]!], [1], 1e-4);
    assertNear([...recovered.at(-1)!.slice(1)], Array(36).fill(0) as number[], 1e-4);
  });

  it("refuse a tap that the pass does not have", async () => {
    await assert.rejects(
      async () => intervene(passes, { ...question, tap: "nothing", by: "zero" }, recordingContext()),
      /no tap "nothing"/,
    );
  });
});
