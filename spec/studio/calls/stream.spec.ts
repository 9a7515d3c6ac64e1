/** Against lib/study, whose figures are compared with PyTorch's in spec/study/stream.spec.ts. */
import assert from "node:assert/strict";
import { tensor4d } from "@tensorflow/tfjs-core";
import { similarities, stream, turns } from "../../../lib/studio/calls/stream.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import {
  blockSteps,
  imageStream,
  stateCosines,
  textStream,
  tokenCosines,
  tokenNorms,
} from "../../../lib/study/stream.ts";
import type { ResidualStream } from "../../../lib/study/stream.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

describe("the calls of the stream", () => {
  let passes: Passes;
  const context = recordingContext();
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  async function agrees(trace: string, expected: ResidualStream): Promise<void> {
    const { norms, steps } = await stream(passes, { trace }, context);
    assert.deepEqual(norms, tokenNorms(expected));
    assert.deepEqual(steps, blockSteps(expected));
    assert.deepEqual(await turns(passes, { trace, token: 2 }, context), stateCosines(expected, 2));
    const last = expected.states.length - 1;
    assert.deepEqual(
      await similarities(passes, { trace, state: last }, context),
      tokenCosines(expected, last),
    );
    await assert.rejects(async () => similarities(passes, { trace, state: last + 1 }, context), /state/);
  }

  it("give the figures of an image's stream", async () => {
    const { result } = await passes.image(await sampleImage("three-brown-stars"), {});
    const { values, shape } = {
      values: await passes.find(result.trace).trace.read("input.image"),
      shape: [1, 3, ...passes.model.preprocess.size] as [number, number, number, number],
    };
    const pixels = tensor4d(values, shape);
    await agrees(result.trace, await imageStream(passes.model, pixels));
    pixels.dispose();
  });

  it("give the figures of a text's stream, which has no steps in a post-norm tower", async () => {
    const { result } = await passes.text("drei braune Sterne", {});
    await agrees(
      result.trace,
      await textStream(
        passes.model,
        result.tokens.map(({ id }) => id),
      ),
    );
    assert.deepEqual((await stream(passes, { trace: result.trace }, context)).steps, []);
  });
});
