import { strict as assert } from "node:assert";
import { classAttention, Rollout, type Attention } from "../../lib/study/attention.ts";
import { assertNear } from "../support/near.ts";

/** Three tokens, two heads. */
const layer: Attention = {
  values: Float32Array.of(
    ...[0.2, 0.3, 0.5, 0.1, 0.8, 0.1, 0, 0, 1],
    ...[0.4, 0.5, 0.1, 0.3, 0.4, 0.3, 1, 0, 0],
  ),
  heads: 2,
  length: 3,
};

describe("attention", () => {
  it("of the class token to the patches is its row of one head, or the mean over heads", () => {
    assertNear([...classAttention(layer, 0)], [0.3, 0.5], 1e-7);
    assertNear([...classAttention(layer, 1)], [0.5, 0.1], 1e-7);
    assertNear([...classAttention(layer, null)], [0.4, 0.3], 1e-7);
  });

  it("rolls out as the product of ½ A + ½ I over the layers", () => {
    const rollout = new Rollout();
    assert.throws(() => rollout.classToken(), /no attention/);
    rollout.add(layer);
    // The mean over heads is [0.3, 0.4, 0.3]; half of it and half of the identity: [0.65, 0.2, 0.15].
    assertNear([...rollout.classToken()], [0.2, 0.15], 1e-7);
    const onlyPatch1 = { values: Float32Array.of(0, 1, 0, 0, 1, 0, 0, 1, 0), heads: 1, length: 3 };
    rollout.add(onlyPatch1);
    // Half of the class token's own row, half of patch 1's: [0.1, 0.8, 0.1].
    assertNear([...rollout.classToken()], [0.1 + 0.4, 0.075 + 0.05], 1e-7);
  });
});
