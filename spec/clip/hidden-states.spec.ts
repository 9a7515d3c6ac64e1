import assert from "node:assert/strict";
import { randomNormal, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { penultimateImageStates, penultimateTextStates } from "../../lib/clip/hidden-states.ts";
import { readTap, withTaps } from "../../lib/tensor/taps.ts";
import { loadTiny } from "../support/golden.ts";

describe("hidden states", () => {
  it("are the tap of the block before the last, which does not run", async () => {
    const model = await loadTiny("plain");
    const pixels: Tensor4D = randomNormal([2, 3, 28, 28], 0, 1, "float32", 5);
    let tapped = new Float32Array();
    (
      await withTaps(
        async (name, value) => {
          if (name === "visual.transformer.resblocks.0") tapped = new Float32Array(await readTap(value));
        },
        () => model.encodeImage(pixels),
      )
    ).dispose();
    const seen: string[] = [];
    const states = await withTaps(
      (name) => seen.push(name),
      () => penultimateImageStates(model, pixels),
    );
    assert.deepEqual(states.shape, [2, 5, 32]);
    assert.deepEqual(await states.data(), tapped);
    assert.ok(seen.includes("visual.transformer.resblocks.0"));
    assert.deepEqual(
      seen.filter((name) => name.includes("resblocks.1") || name === "visual"),
      [],
    );
    for (const tensor of [states, pixels]) tensor.dispose();
    await model.dispose();
  });

  it("of a text are of the whole context, and do not depend on what follows a token", async () => {
    const model = await loadTiny("plain");
    const states: Tensor3D[] = [];
    for (const rows of [[[118, 5, 119]], [[118, 5, 7, 119]]]) {
      states.push(await penultimateTextStates(model, rows));
    }
    const [short, long] = await Promise.all(states.map((one) => one.data()));
    assert.deepEqual(states[0]!.shape, [1, 12, 40]);
    assert.deepEqual(short!.slice(0, 80), long!.slice(0, 80));
    assert.notDeepEqual(short!.slice(80, 120), long!.slice(80, 120));
    for (const tensor of states) tensor.dispose();
    await model.dispose();
  });

  it("of a text are refused for another text tower, and for rows that are too long", async () => {
    const other = await loadTiny("gelu-mlp");
    await assert.rejects(penultimateTextStates(other, [[0, 2]]), {
      message: "penultimateTextStates: expected a model with CLIP's own text transformer, found xlm-roberta",
    });
    await other.dispose();
    const model = await loadTiny("plain");
    await assert.rejects(penultimateTextStates(model, [new Array<number>(13).fill(1)]), {
      message: "penultimateTextStates: row 0 has 13 ids, the context holds 12",
    });
    await model.dispose();
  });
});
