import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { InputError } from "../../lib/errors/input-error.ts";
import { loadAll, type Loadable } from "../../lib/tensor/weight.ts";
import { openWeightsFile } from "../support/weights-file.ts";

describe("Weight", () => {
  it("is permuted by its layout, and back by asStored", async () => {
    const { root } = (await openWeightsFile()).weights;
    const linear = root.at("block").at("fc").get("weight", [2, 3], "linear");
    const conv = root.at("conv").get("weight", [2, 3, 1, 2], "conv2d");
    await root.load();
    // Stored: [[0, 1, 2], [3, 4, 5]].
    assert.deepEqual(linear.tensor.arraySync(), [
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    assert.deepEqual(conv.tensor.shape, [1, 2, 3, 2]);
    // 10 is stored at [out, in, height, width] = (1, 2, 0, 0) and loaded at [height, width, in, out] = (0, 0, 2, 1).
    assert.equal(conv.tensor.dataSync()[5], 10);
    for (const weight of [linear, conv]) {
      const stored = weight.asStored(weight.tensor);
      assert.deepEqual(stored.shape, weight.shape);
      assert.deepEqual([...stored.dataSync()], [...stored.dataSync().keys()]);
      stored.dispose();
      weight.dispose();
    }
  });

  it("is in memory only between load and release if it is streamed", async () => {
    const { weights } = await openWeightsFile("streamed");
    const before = memory().numTensors;
    const weight = weights.root.get("block.fc.bias", [2]);
    assert.throws(() => weight.tensor, /block.fc.bias is used before load\(\) or after release\(\)/);
    await weight.load();
    assert.deepEqual([...weight.tensor.dataSync()], [0, 1]);
    weight.release();
    assert.throws(() => weight.tensor, /block.fc.bias is used before load\(\) or after release\(\)/);
    assert.equal(memory().numTensors, before);
  });

  it("stays in memory until dispose if it is resident, and is read once", async () => {
    const { weights, source } = await openWeightsFile();
    const before = memory().numTensors;
    const bias = weights.root.get("block.fc.bias", [2]);
    await Promise.all([bias.load(), bias.load()]);
    source.reads.length = 0;
    bias.release();
    await bias.load();
    assert.deepEqual([...bias.tensor.dataSync()], [0, 1]);
    assert.equal(source.reads.length, 0);
    weights.dispose();
    assert.equal(memory().numTensors, before);
  });
});

describe("prefetch", () => {
  it("reads the bytes once, for the next load", async () => {
    const { weights, source } = await openWeightsFile();
    const weight = weights.root.get("words.weight", [8, 2]);
    source.reads.length = 0;
    weight.prefetch();
    weight.prefetch();
    await weight.load();
    weight.prefetch(); // it is loaded
    assert.equal(source.reads.length, 1);
    assert.equal(weight.isLoaded, true);
    weights.dispose();
  });

  it("gives up the bytes when a streamed weight is released", async () => {
    const { weights, source } = await openWeightsFile("streamed");
    const weight = weights.root.get("words.weight", [8, 2]);
    source.reads.length = 0;
    weight.prefetch();
    weight.release();
    await weight.load();
    assert.equal(source.reads.length, 2);
    weights.dispose();
  });

  it("leaves a failure to load", async () => {
    const { weights, source } = await openWeightsFile();
    const weight = weights.root.get("words.weight", [8, 2]);
    source.read = () => Promise.reject(new InputError("gone"));
    weight.prefetch();
    await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would end the process
    await assert.rejects(weight.load(), /gone/);
  });
});

describe("loadAll", () => {
  it("waits for all weights before it reports that one failed", async () => {
    const events: string[] = [];
    const slow: Loadable = {
      load: async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        events.push("slow is loaded");
      },
      release: () => undefined,
    };
    const failing: Loadable = { load: () => Promise.reject(new Error("gone")), release: () => undefined };
    await loadAll([failing, slow]).catch((error: unknown) => events.push(String(error)));
    assert.deepEqual(events, ["slow is loaded", "Error: gone"]);
  });
});
