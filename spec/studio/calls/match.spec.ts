import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { match } from "../../../lib/studio/calls/match.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

describe("the call match", () => {
  let passes: Passes;
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  it("gives the cosines of images and labels, and leaves no tensors behind", async () => {
    const images = [await sampleImage("two-red-circles")];
    const labels = ["two red circles", "a blue square"];
    const context = recordingContext();
    await match(passes, { images, labels, templates: ["{}"] }, context);
    const before = memory().numTensors;
    const { cosines } = await match(passes, { images, labels, templates: ["{}"] }, context);
    assert.ok(cosines[0]![0]! > cosines[0]![1]!);
    assert.equal(memory().numTensors, before);
    assert.deepEqual(context.done.at(-1), [1, 1]);
  });

  it("matches the images that can be read, and says why others cannot", async () => {
    const images = [
      await sampleImage("two-red-circles"),
      { key: "notes", name: "notes.txt", bytes: new Uint8Array(40) },
    ];
    const params = { images, labels: ["two red circles"], templates: ["{}"] };
    const { cosines, failures } = await match(passes, params, recordingContext());
    assert.equal(cosines[0]!.length, 1);
    assert.equal(cosines[1], null);
    assert.match(failures[0]!.message, /^notes\.txt: expected an image/);
  });
});
