import assert from "node:assert/strict";
import { activationBytes } from "../../lib/train/activations.ts";
import { loadTiny } from "../support/golden.ts";

describe("activationBytes", () => {
  it("counts 21 widths per token, block and pair of the towers that train", async () => {
    const model = await loadTiny("gelu-mlp"); // 3 blocks of 40 on 7 tokens, 3 of 32
    const ofText = 4 * 2 * 32 * 21 * 3 * 32;
    assert.equal(activationBytes(model, {}, 2), ofText + 4 * 2 * 7 * 21 * 3 * 40);
    assert.equal(activationBytes(model, { image: { unlockedGroups: 0 } }, 2), ofText);
    await model.dispose();
  });
});
