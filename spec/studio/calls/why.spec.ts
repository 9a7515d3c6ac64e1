/** Against lib/study, whose maps are compared with PyTorch's in spec/study/saliency. */
import assert from "node:assert/strict";
import { memory, tensor2d, tensor4d } from "@tensorflow/tfjs-core";
import { deletion, explain, explainText } from "../../../lib/studio/calls/why.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { labelDirection } from "../../../lib/study/saliency/direction.ts";
import type { SaliencyMap } from "../../../lib/study/saliency/map.ts";
import { explainImage, saliencyMethods } from "../../../lib/study/saliency/methods.ts";
import { leaveOneOut } from "../../../lib/study/saliency/tokens.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

describe("the calls of Why", () => {
  const labels = ["three brown stars", "two red circles"];
  const options = { startLayer: 2, steps: 8, window: 28, stride: 14 };
  let passes: Passes;
  let trace: string;
  let question: { trace: string; labels: string[]; templates: string[]; label: number };
  before(async () => {
    passes = await demoPasses();
    trace = (await passes.image(await sampleImage("three-brown-stars"), {})).result.trace;
    question = { trace, labels, templates: ["{}"], label: 0 };
  });
  after(() => passes.model.dispose());

  for (const method of saliencyMethods) {
    it(`give the library's map: ${method}`, async () => {
      const context = recordingContext<SaliencyMap>();
      const { score, map } = await explain(passes, { ...question, method, ...options }, context);
      const features = await passes.model.encodeText(labels, { normalize: true });
      const direction = labelDirection(features, 0, true);
      const values = await passes.find(trace).trace.read("input.image");
      const pixels = tensor4d(values.slice(), [1, 3, ...passes.model.preprocess.size]);
      const expected = await explainImage(passes.model, pixels, direction, method, options);
      for (const one of [features, direction, pixels]) one.dispose();
      assert.ok(Math.abs(score - expected.score) < 1e-5);
      assert.ok(compare(map.values, expected.map.values).relativeL2 <= 1e-4);
      if (method === "occlusion") {
        assert.equal(context.updates.length, context.done.length);
        assert.deepEqual(context.updates.at(-1), map);
      }
    });
  }

  it("leave no tensors behind", async () => {
    const all = async (): Promise<void> => {
      for (const method of saliencyMethods)
        await explain(passes, { ...question, method, ...options }, recordingContext<SaliencyMap>());
    };
    await all();
    const before = memory().numTensors;
    await all();
    assert.equal(memory().numTensors, before);
  });

  it("cover the patches in the map's order faster than in random orders, for occlusion's map", async () => {
    const context = recordingContext<SaliencyMap>();
    const { map } = await explain(passes, { ...question, method: "occlusion", ...options }, context);
    const curves = await deletion(passes, { ...question, map }, recordingContext());
    assert.ok(curves.map.area < curves.random.area);
    assert.deepEqual(curves, await deletion(passes, { ...question, map }, recordingContext()));
    assert.equal(curves.random.scores[0], curves.map.scores[0]);
  });

  it("explain a text by the image, as the library does", async () => {
    const { trace: text, tokens } = (await passes.text("three brown stars", {})).result;
    const found = await explainText(passes, { image: trace, text }, recordingContext());
    const { features } = passes.find(trace);
    const direction = tensor2d(features, [1, features.length]);
    const expected = await leaveOneOut(
      passes.model,
      tokens.map(({ id }) => id),
      direction,
    );
    direction.dispose();
    assert.deepEqual(found.leaveOneOut, expected.tokens);
    assert.deepEqual([found.gradient.length, found.relevance.length], [5, 2]);
    const { trace: empty } = (await passes.text("", {})).result;
    const none = await explainText(passes, { image: trace, text: empty }, recordingContext());
    assert.deepEqual(none.leaveOneOut, [null, null]);
  });
});
