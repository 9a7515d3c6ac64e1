import { strict as assert } from "node:assert";
import { diffStores, type TensorDifference } from "../../lib/tensor/diff.ts";
import { roundFloats } from "../../lib/tensor/rounding.ts";
import { encodeSafetensors, SafetensorsFile, type TensorSpec } from "../../lib/tensor/safetensors.ts";
import { MemorySource } from "../support/memory-source.ts";

type Tensor = TensorSpec & { readonly bytes: Uint8Array };

const f32 = (name: string, ...values: number[]): Tensor => ({
  name,
  dtype: "F32",
  shape: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

const f16 = (name: string, ...values: number[]): Tensor => ({
  name,
  dtype: "F16",
  shape: [values.length],
  bytes: roundFloats("F32", "F16", f32(name, ...values).bytes).bytes,
});

async function diff(
  a: readonly Tensor[],
  b: readonly Tensor[],
  prefix?: string,
): Promise<TensorDifference[]> {
  const open = (tensors: readonly Tensor[]): Promise<SafetensorsFile> =>
    SafetensorsFile.open(new MemorySource(encodeSafetensors(tensors)));
  const differences: TensorDifference[] = [];
  for await (const difference of diffStores(await open(a), await open(b), prefix))
    differences.push(difference);
  return differences;
}

describe("diffStores", () => {
  it("distinguishes identical, rounded and different tensors", async () => {
    const results = await diff(
      [f32("same", 1, NaN), f32("rounded", 0.1, 2), f32("moved", 3, 4, 1)],
      [f32("same", 1, NaN), f16("rounded", 0.1, 2), f32("moved", 3, 4, 0)],
    );
    const kinds = Object.fromEntries(results.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(kinds, { same: "identical", rounded: "rounded", moved: "different" });
    const moved = results.find(({ name }) => name === "moved")!;
    // ‖a − b‖ = 1, ‖b‖ = √(9 + 16) = 5.
    assert.deepEqual([moved.maxAbs, moved.relativeL2, moved.differing], [1, 0.2, 1]);
  });

  it("reports shapes that differ, and tensors of one side", async () => {
    const results = await diff([f32("a", 1), f32("left", 1)], [f32("a", 1, 2), f32("right", 1)]);
    assert.deepEqual(
      results.map(({ name, kind }) => `${name} ${kind}`),
      ["a shape", "left only-a", "right only-b"],
    );
    assert.deepEqual(results[0]!.shapes, [[1], [2]]);
    assert.equal(results[0]!.maxAbs, null);
  });

  it("gives null for figures that are not finite", async () => {
    const [result] = await diff([f32("a", Infinity)], [f32("a", 1)]);
    assert.deepEqual([result!.kind, result!.maxAbs, result!.differing], ["different", null, 1]);
  });

  it("compares only names with the prefix", async () => {
    const tensors = [f32("visual.a", 1), f32("text.a", 1)];
    assert.deepEqual(
      (await diff(tensors, tensors, "visual.")).map(({ name }) => name),
      ["visual.a"],
    );
  });
});
