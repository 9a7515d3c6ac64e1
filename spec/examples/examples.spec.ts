import { strict as assert } from "node:assert";
import { textStates } from "../../examples/text-states.ts";
import { loadModel, type Clip } from "../../lib/index.ts";

describe("examples", () => {
  let model: Clip;
  before(async () => {
    model = await loadModel();
  });
  after(() => model.dispose());

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
