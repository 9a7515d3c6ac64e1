import { strict as assert } from "node:assert";
import { keep, memory, zeros, type Rank, type Tensor } from "@tensorflow/tfjs-core";
import { loadTiny } from "../../support/golden.ts";
import { valuesOf } from "../../support/values.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";

const text = [[0, 5, 9, 2]];

describe("Clip", () => {
  it("is disposed after the passes that have begun", async () => {
    const before = memory().numTensors;
    const model = await loadTiny("gelu-mlp", "streamed");
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const embedding = model.encodeImage(pixels);
    await model.dispose();
    await model.dispose(); // the second time has no effect
    for (const tensor of [await embedding, pixels]) tensor.dispose();
    assert.equal(memory().numTensors, before);
  });

  it("gives each of two towers that run at once its own sink", async () => {
    const model = await loadTiny("gelu-mlp");
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const names: string[][] = [[], []];
    await Promise.all([
      withTaps(
        (name) => names[0]!.push(name),
        () => valuesOf(model.visual.apply(pixels)),
      ),
      withTaps(
        (name) => names[1]!.push(name),
        () => valuesOf(model.text.apply(model.text.batch(text))),
      ),
    ]);
    assert.equal(names[0]!.at(-1), "visual");
    assert.equal(names[1]!.at(-1), "text");
    assert.ok(names[0]!.every((name) => name.startsWith("visual")));
    assert.ok(names[1]!.every((name) => name.startsWith("text")));
    pixels.dispose();
    await model.dispose();
  });

  it("leaves a value to a sink that keeps a clone of it", async () => {
    const model = await loadTiny("gelu-mlp");
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    let kept: Tensor | undefined;
    await withTaps(
      (name, value) => {
        if (name === "visual.ln_pre") kept = keep(value.clone());
      },
      () => valuesOf(model.encodeImage(pixels)),
    );
    assert.deepEqual(kept?.shape, [1, 7, 40]);
    assert.equal((await kept.data()).length, 7 * 40);
    for (const tensor of [kept, pixels]) tensor.dispose();
    await model.dispose();
  });
});
