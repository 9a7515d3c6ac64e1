import { strict as assert } from "node:assert";
import { memory, zeros, type Rank } from "@tensorflow/tfjs-core";
import { guide } from "../../examples/guidance.ts";
import { textStates } from "../../examples/text-states.ts";
import { loadModel, type Clip } from "../../lib/index.ts";

describe("examples", () => {
  let model: Clip;
  before(async () => {
    model = await loadModel();
  });
  after(() => model.dispose());

  it("guidance raises an image's similarity to a text and disposes every tensor", async () => {
    const [height, width] = model.preprocess.size;
    const start = zeros<Rank.R4>([1, 3, height, width]);
    const warm = await guide(model, start, "a red circle", { steps: 1, stepSize: 1 });
    warm.pixels.dispose();
    const before = memory().numTensors;
    const { pixels, similarities } = await guide(model, start, "a red circle", { steps: 15, stepSize: 1 });
    pixels.dispose();
    assert.equal(memory().numTensors, before);
    assert.equal(similarities.length, 15);
    assert.ok(similarities.at(-1)! > similarities[0]! + 0.2, similarities.map((s) => s.toFixed(2)).join(" "));
    start.dispose();
  });

  it("text states are the encoder's last hidden states, one for each piece", async () => {
    const { pieces, states, width } = await textStates(model, "tre stelle rosse");
    assert.equal(states.length, pieces.length * width);
    assert.deepEqual([pieces[0], pieces.at(-1)], ["<s>", "</s>"]);
    // After a LayerNorm, a state is never all zeros.
    for (let i = 0; i < pieces.length; i++) {
      assert.ok(Math.hypot(...states.subarray(i * width, (i + 1) * width)) > 0.1);
    }
  });
});
