import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { embed, match } from "../../../lib/studio/calls/match.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

describe("the calls embed and match", () => {
  let passes: Passes;
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  it("give the cosines of images and labels, and leave no tensors behind", async () => {
    const image = await sampleImage("two-red-circles");
    const params = { images: [image.key], labels: ["two red circles", "a blue square"], templates: ["{}"] };
    await embed(passes, image, recordingContext());
    await match(passes, params, recordingContext());
    const before = memory().numTensors;
    const { cosines } = await match(passes, params, recordingContext());
    assert.ok(cosines[0]![0]! > cosines[0]![1]!);
    assert.equal(memory().numTensors, before);
  });

  it("embed as a recorded pass does, and keep no trace", async () => {
    const image = await sampleImage("three-brown-stars");
    await embed(passes, image, recordingContext());
    assert.throws(() => passes.find(`image ${image.key}`), /no longer in memory/);
    const embedding = passes.embedding(image.key);
    const { features } = await passes.image(image, {});
    assert.deepEqual(embedding, features);
  });

  it("refuse what is not an image, and an image that was not embedded", async () => {
    const notes = { key: "notes", name: "notes.txt", bytes: new Uint8Array(40) };
    await assert.rejects(
      embed(passes, notes, recordingContext()),
      /^InputError: notes\.txt: expected an image/,
    );
    const params = { images: ["notes"], labels: ["two red circles"], templates: ["{}"] };
    await assert.rejects(match(passes, params, recordingContext()), /the image notes is no longer in memory/);
  });
});
