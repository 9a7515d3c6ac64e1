import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { InputError } from "../../lib/errors/input-error.ts";
import { openWeightsFile } from "../support/weights-file.ts";

describe("ModelWeights", () => {
  it("gives each weight to one layer only", async () => {
    const { root } = (await openWeightsFile()).weights;
    root.at("block").get("fc.bias", [2]);
    assert.throws(() => root.get("block.fc.bias", [2]), /two layers use block.fc.bias/);
  });

  it("lists all tensors that are missing, unexpected, or have a wrong shape", async () => {
    const { weights } = await openWeightsFile();
    weights.root.get("block.fc.weight", [3, 2]);
    weights.root.get("block.fc.bias", [2]);
    weights.root.get("head.weight", [5]);
    assert.throws(
      () => {
        weights.assertAllRead(["words.weight"]);
      },
      (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, /^memory.safetensors: 3 tensors do not fit/);
        assert.deepEqual(error.details, [
          "wrong shape block.fc.weight: expected [3, 2], found [2, 3]",
          "missing     head.weight [5]",
          "unexpected  conv.weight [2, 3, 1, 2]",
        ]);
        return true;
      },
    );
  });
});

describe("WeightScope", () => {
  it("loads and releases the weights below it and no others", async () => {
    const { weights } = await openWeightsFile("streamed");
    const before = memory().numTensors;
    const block = weights.root.at("block");
    const weight = block.get("fc.weight", [2, 3]);
    const conv = weights.root.get("conv.weight", [2, 3, 1, 2]);
    await block.load();
    assert.deepEqual([weight.isLoaded, conv.isLoaded], [true, false]);
    block.release();
    assert.equal(weight.isLoaded, false);
    assert.equal(memory().numTensors, before);
  });

  it("compares whole names between dots", async () => {
    const { weights } = await openWeightsFile("streamed");
    const bias = weights.root.get("block.fc.bias", [2]);
    await weights.root.at("bloc").load();
    assert.equal(bias.isLoaded, false);
  });
});
