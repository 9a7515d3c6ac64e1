import { strict as assert } from "node:assert";
import fc from "fast-check";
import { clone, keep, slice, tensor, type Rank, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { interventions, type Intervention } from "../../lib/study/intervene.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { assertNear } from "../support/near.ts";
import { valuesOf } from "../support/values.ts";

/** What an intervention makes of a value at the tap "x". */
async function made(value: Tensor, change: Omit<Intervention, "tap">): Promise<number[]> {
  const result = interventions([{ tap: "x", ...change }])("x", value) ?? clone(value);
  const values = [...(await result.data<"float32">())];
  result.dispose();
  return values;
}

describe("interventions", () => {
  let stream: Tensor; // three tokens of two numbers
  let attention: Tensor; // two heads
  before(() => {
    stream = tensor([1, 2, 3, 4, 5, 6], [1, 3, 2]);
    attention = tensor([0.2, 0.8, 0.6, 0.4, 1, 0, 0.5, 0.5], [1, 2, 2, 2]);
  });
  after(() => {
    for (const value of [stream, attention]) value.dispose();
  });

  it("replace tokens, neurons, heads and inputs, by zero, by the mean over tokens, or by another value", async () => {
    const other = tensor([10, 20, 30, 40, 50, 60], [1, 3, 2]);
    const two = tensor([1, 2, 3, 4], [2, 1, 2]);
    assert.deepEqual(await made(stream, { by: "zero", tokens: [1] }), [1, 2, 0, 0, 5, 6]);
    assert.deepEqual(await made(stream, { by: "mean", tokens: [0], neurons: [1] }), [1, 4, 3, 4, 5, 6]);
    assert.deepEqual(await made(stream, { by: other, neurons: [0] }), [10, 2, 30, 4, 50, 6]);
    assert.deepEqual(await made(stream, { by: "zero" }), [0, 0, 0, 0, 0, 0]);
    assertNear(await made(attention, { by: "zero", heads: [1] }), [0.2, 0.8, 0.6, 0.4, 0, 0, 0, 0], 1e-7);
    assertNear(
      await made(attention, { by: "mean", heads: [0], tokens: [1] }),
      [0.2, 0.8, 0.4, 0.6, 1, 0, 0.5, 0.5],
      1e-7,
    );
    assert.deepEqual(await made(two, { by: "zero", inputs: [1] }), [1, 2, 0, 0]);
    for (const value of [other, two]) value.dispose();
  });

  it("follow each other at one tap, and leave other taps alone", async () => {
    const patch = interventions([
      { tap: "x", by: "zero", tokens: [0] },
      { tap: "x", by: "mean", tokens: [1] },
    ]);
    const result = patch("x", stream)!;
    assertNear([...(await result.data())], [0, 0, 8 / 3, 10 / 3, 5, 6], 1e-6);
    assert.equal(patch("y", stream), null);
  });

  it("refuse what the value does not have", () => {
    const wrong: [Partial<Intervention>, RegExp][] = [
      [{ heads: [0] }, /at "x": a value with 3 axes has no heads/],
      [{ tokens: [3] }, /at "x": expected indices from 0 to 2 along axis 1, found 3/],
      [{ neurons: [-1] }, /from 0 to 1 along axis 2, found -1/],
      [{ by: attention }, /at "x": expected a value of the shape \[1,3,2\], found \[1,2,2,2\]/],
    ];
    for (const [change, message] of wrong) {
      assert.throws(() => interventions([{ tap: "x", by: "zero", ...change }])("x", stream), {
        name: "InputError",
        message,
      });
    }
  });
});

describe("interventions in a pass", () => {
  let model: Clip;
  let images: Tensor4D;
  const kept: Tensor[] = [];
  const image = (i: number): Tensor4D => {
    const one = slice<Rank.R4, Tensor4D>(images, [i, 0, 0, 0], [1, -1, -1, -1]);
    kept.push(one);
    return one;
  };
  before(async () => {
    model = await loadTiny("gelu-mlp");
    const golden = await openGolden(tinyGolden("gelu-mlp"));
    images = golden.readImage()!;
    await golden.close();
  });
  after(async () => {
    for (const value of [images, ...kept]) value.dispose();
    await model.dispose();
  });

  const run = (pixels: Tensor4D, list: readonly Intervention[]): Promise<Float32Array> =>
    valuesOf(
      withTaps(
        () => undefined,
        () => model.encodeImage(pixels),
        interventions(list),
      ),
    );

  it("of nothing change no bit, at any tap", async () => {
    const pixels = image(0);
    const plain = await valuesOf(model.encodeImage(pixels));
    const names: string[] = [];
    (
      await withTaps(
        (name) => names.push(name),
        () => model.encodeImage(pixels),
      )
    ).dispose();
    const nothing = fc.constantFrom("heads", "tokens", "neurons", "inputs");
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        nothing,
        fc.constantFrom("zero" as const, "mean" as const),
        async (tap, part, by) => {
          assert.deepEqual(await run(pixels, [{ tap, by, [part]: [] }]), plain);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("that take the whole stream from image B give B's answer, at any tap of the stream", async () => {
    const [a, b] = [image(0), image(1)];
    const values = new Map<string, Tensor>();
    const isStream = (name: string): boolean =>
      /(ln_pre|#positioned|resblocks\.\d|#after_attention|visual\.transformer)$/.test(name);
    const answer = await valuesOf(
      withTaps(
        (name, value) => {
          if (isStream(name)) values.set(name, keep(clone(value)));
        },
        () => model.encodeImage(b),
      ),
    );
    assert.equal(values.size, 9);
    for (const [tap, value] of values) {
      const found = await run(a, [{ tap, by: value }]);
      assertNear([...found], [...answer], 1e-5);
      value.dispose();
    }
  });

  it("of a head's attention remove what the head adds", async () => {
    const pixels = image(0);
    const tap = "visual.transformer.resblocks.1.attn#probabilities";
    const [first, both, whole] = [
      await run(pixels, [{ tap, by: "zero", heads: [0] }]),
      await run(pixels, [{ tap, by: "zero", heads: [0, 1] }]),
      await run(pixels, [{ tap, by: "zero" }]),
    ];
    assert.deepEqual(both, whole);
    assert.notDeepEqual(first, both);
  });
});
