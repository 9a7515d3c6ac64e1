import { strict as assert } from "node:assert";
import fc from "fast-check";
import { slice, type Rank, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import {
  blockSteps,
  imageStream,
  stateCosines,
  textStream,
  tokenCosines,
  tokenNorms,
  type ResidualStream,
} from "../../lib/study/stream.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { assertNear } from "../support/near.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";

/** Two tokens of two numbers, one block. */
const example: ResidualStream = {
  length: 2,
  width: 2,
  states: [Float32Array.of(3, 4, 0, 0), Float32Array.of(-8, 6, 0, 1)],
  middles: [Float32Array.of(3, 5, 0, 0)],
};

describe("a residual stream", () => {
  it("has the norms of its tokens", () => {
    assert.deepEqual(
      tokenNorms(example).map((norms) => [...norms]),
      [
        [5, 0],
        [10, 1],
      ],
    );
  });

  it("has cosines of a token's states, and of a state's tokens", () => {
    assert.deepEqual([...stateCosines(example)], [1, 0, 0, 1]); // 3 · −8 + 4 · 6
    assert.deepEqual([...stateCosines(example, 1)], [0, 0, 0, 1], "a vector of zeros has no direction");
    assertNear([...tokenCosines(example, 1)], [1, 0.6, 0.6, 1], 1e-6);
    assert.throws(() => tokenCosines(example, 2), /state 2: the stream has the states 0 to 1/);
    assert.throws(() => stateCosines(example, 2), /token 2: the stream has the tokens 0 to 1/);
  });

  it("has the norms of what attention and MLP add", () => {
    const mlp = (Math.hypot(11, 1) + 1) / 2;
    const [step] = blockSteps(example);
    assertNear([step!.attention, step!.mlp, step!.attentionShare], [0.5, mlp, 0.5 / (0.5 + mlp)], 1e-6);
  });

  it("has cosines that do not depend on the lengths of the vectors, within −1 and 1", () => {
    const numbers = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(numbers, fc.double({ min: 0.5, max: 20, noNaN: true }), (values, factor) => {
        const state = (by: number): ResidualStream => ({
          length: 3,
          width: 2,
          states: [Float32Array.from(values, (value, i) => (i < 2 ? by * value : value))],
          middles: [],
        });
        const [one, other] = [tokenCosines(state(1), 0), tokenCosines(state(factor), 0)];
        assertNear([...one], [...other], 1e-4);
        assert.ok(one.every((cosine) => Math.abs(cosine) <= 1 + 1e-6));
      }),
    );
  });
});

describe("imageStream and textStream", () => {
  for (const name of ["gelu-mlp", "plain"]) {
    it(`${name}: hold PyTorch's outputs of the blocks`, async () => {
      const golden = await openGolden(tinyGolden(name));
      const model: Clip = await loadTiny(name);
      const images = golden.readImage()!;
      const pixels = slice<Rank.R4, Tensor4D>(images, [0, 0, 0, 0], [1, -1, -1, -1]);
      const image = await withoutBlockingReads(() => imageStream(model, pixels));
      const text = await withoutBlockingReads(() => textStream(model, golden.text![0]!));
      for (const [stream, tower] of [
        [image, model.visual],
        [text, model.text],
      ] as const) {
        assert.equal(stream.states.length, tower.blocks.length + 1);
        for (const [i, { scope }] of tower.blocks.entries()) {
          const expected = golden.readTap(scope.path).subarray(0, stream.length * stream.width);
          assertNear([...stream.states[i + 1]!], [...expected], 1e-4);
        }
      }
      const before = golden.readTap("visual.ln_pre").subarray(0, image.length * image.width);
      assertNear([...image.states[0]!], [...before], 1e-4);
      assert.equal(image.middles.length, model.visual.blocks.length);
      assert.equal(text.middles.length, name === "plain" ? model.text.blocks.length : 0);
      await assert.rejects(imageStream(model, images), /imageStream: expected one image, found 2/);
      for (const tensor of [images, pixels]) tensor.dispose();
      await model.dispose();
      await golden.close();
    });
  }
});
