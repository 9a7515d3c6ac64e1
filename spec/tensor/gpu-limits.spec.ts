import assert from "node:assert/strict";
import { assertFitsGpu } from "../../lib/tensor/gpu-limits.ts";
import { buildOn } from "../support/layers.ts";

describe("assertFitsGpu", () => {
  const { weights } = buildOn({ small: [1, 2], large: [1, 2, 3], table: [[1], [2], [3], [4]] }, (scope) => [
    scope.get("small", [2]),
    scope.get("large", [3]),
    scope.table("table", [4, 1]),
  ]);

  it("accepts weights up to the smaller of the two limits, and tables of any size", () => {
    assertFitsGpu(weights, { maxBufferSize: 12, maxStorageBufferBindingSize: 100 });
  });

  it("lists the weights that do not fit", () => {
    assert.throws(
      () => {
        assertFitsGpu(weights, { maxBufferSize: 100, maxStorageBufferBindingSize: 11 });
      },
      {
        name: "InputError",
        message: /^webgpu: 1 of the model's weights are larger than this GPU's buffers of 11 bytes/,
        details: ["large [3]: 12 bytes"],
      },
    );
  });
});
