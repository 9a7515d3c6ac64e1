import assert from "node:assert/strict";
import { memory, sum, type Scalar } from "@tensorflow/tfjs-core";
import { backward, type Receivers } from "../../lib/clip/backward.ts";
import type { LossInputs } from "../../lib/clip/loss.ts";
import { loadTiny } from "../support/golden.ts";

const rows = [
  [0, 5, 9, 2],
  [0, 7, 2],
];
const loss = ({ texts }: LossInputs): Scalar => sum(texts!);

// spec/parity/gradients.spec.ts compares every gradient with PyTorch's.
describe("backward", () => {
  it("hands gradients of the wanted weights over, from the end of the tower to its beginning", async () => {
    const model = await loadTiny("gelu-mlp");
    const wanted = ["text.proj.2.weight", "text.transformer.encoder.layer.1.output.dense.bias"];
    const first = "text.transformer.embeddings.LayerNorm.bias";
    const seen: string[] = [];
    const losses: number[] = [];
    const receivers: Receivers = {
      weights: new Set(model.weights.handles.filter(({ name }) => [...wanted, first].includes(name))),
      tap: () => false,
      onTap: () => undefined,
      onPixels: null,
      onLoss: (value) => losses.push(value),
      onWeight: ({ name }, gradient) => {
        seen.push(name);
        gradient.dispose();
      },
    };
    const value = await backward(model, { rows }, loss, receivers, {});
    assert.deepEqual(seen, [...wanted, first]);
    assert.deepEqual(losses, [value]);
    await model.dispose();
  });

  it("computes no gradient if the receiver of the loss throws, and leaves nothing behind", async () => {
    const model = await loadTiny("gelu-mlp");
    const embedding = await model.encodeTokens(rows); // loads the weights
    embedding.dispose();
    await model.logitScale.load();
    const before = memory().numTensors;
    const receivers: Receivers = {
      weights: new Set(model.weights.handles),
      tap: () => false,
      onTap: () => undefined,
      onPixels: null,
      onLoss: () => {
        throw new Error("not a number");
      },
      onWeight: () => assert.fail("no gradient is expected"),
    };
    await assert.rejects(backward(model, { rows }, loss, receivers, {}), /not a number/);
    assert.equal(memory().numTensors, before);
    await model.dispose();
  });
});
