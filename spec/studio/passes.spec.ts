import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { memory } from "@tensorflow/tfjs-core";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import { Passes } from "../../lib/studio/passes.ts";

describe("Passes", () => {
  let model: Clip;
  let passes: Passes;
  before(async () => {
    model = await loadModel();
    passes = new Passes(model, nodeCodecs());
  });
  after(() => model.dispose());

  const image = async (name = "two-red-circles.png") =>
    (await passes.image({ key: name, name, bytes: await readFile(`${demoModel}/samples/${name}`) }, {}))
      .result;

  it("keep all values of an image and a text, and their similarity", async () => {
    const seen = await image();
    const { result: read } = await passes.text("due cerchi", {});
    const { result: joint } = await passes.joint(seen.trace, read.trace);
    assert.equal(seen.taps[0]!.name, "input.image");
    assert.equal(seen.taps.at(-1)!.name, "image_features");
    assert.equal(read.taps.at(-1)!.name, "text_features");
    assert.deepEqual(
      read.tokens.map(({ piece }) => piece),
      ["<s>", "▁due", "▁cerchi", "</s>"],
    );
    const { scale } = await passes.info("demo", "");
    assert.ok(Math.abs(joint.logit - scale * joint.cosine) < 1e-4);
    const features = await passes.find(seen.trace).trace.read("image_features");
    assert.ok(Math.abs(features.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-5);
  });

  it("give each head's entropy and reach, and the attention that each token receives", async () => {
    const { heads } = await image();
    assert.deepEqual([heads.length, heads[0]!.length], [4, 4]);
    for (const { entropy, distance, row } of heads.flat()) {
      assert.ok(entropy > 0 && entropy <= Math.log2(37) && distance > 0 && distance < Math.hypot(5, 5));
      assert.ok(Math.abs(Array.from(row).reduce((sum, weight) => sum + weight, 0) - 1) < 1e-5);
    }
    const { received } = (await passes.text("due cerchi rossi", {})).result;
    for (const layer of received) {
      assert.ok(Math.abs(layer.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-5);
    }
  });

  it("leave no tensors behind, and run a kept pass only once", async () => {
    await image();
    const before = memory().numTensors;
    const first = await image();
    const again = await image();
    assert.equal(first, again);
    assert.equal(memory().numTensors, before);
  });

  it("refuse an unknown trace, an unknown tap and a file that is not an image", async () => {
    const { trace } = await image();
    assert.throws(() => passes.find("image nothing"), /no longer in memory/);
    await assert.rejects(async () => passes.find(trace).trace.read("nothing"), /no tap "nothing"/);
    await assert.rejects(
      passes.image({ key: "x", name: "x.png", bytes: new Uint8Array(40) }, {}),
      /x\.png: expected an image/,
    );
  });
});
