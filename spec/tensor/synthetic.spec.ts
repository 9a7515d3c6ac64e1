import { strict as assert } from "node:assert";
import { samplePositions, SyntheticStore, syntheticValues } from "../../lib/tensor/synthetic.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";

describe("SyntheticStore", () => {
  const store = new SyntheticStore([
    ["mlp.c_fc.weight", [64, 256]],
    ["ln_1.weight", [2048]],
    ["logit_scale", []],
  ]);

  it("reads the same numbers whole and in parts", async () => {
    const whole = await readFloat32(store, "mlp.c_fc.weight");
    const part = await store.read("mlp.c_fc.weight", 4000, 400);
    assert.deepEqual(new Float32Array(part.buffer), whole.subarray(1000, 1100));
  });

  it("scales matrices by fan-in, and norms to lie around 1 with outliers", async () => {
    const matrix = await readFloat32(store, "mlp.c_fc.weight");
    const squares = matrix.reduce((sum, x) => sum + x * x, 0);
    assert.ok(Math.abs((squares / matrix.length) * 256 - 1) < 0.05);
    const norm = await readFloat32(store, "ln_1.weight");
    assert.ok(norm.every((x) => (x >= 0.75 && x < 1.25) || (x >= 6 && x < 10)));
    assert.ok(norm.some((x) => x >= 6));
  });

  it("depends on the name", () => {
    const values = (name: string): Float32Array => syntheticValues(name, [8], 0, 8);
    assert.deepEqual(values("a"), values("a"));
    assert.notDeepEqual(values("a"), values("b"));
  });
});

describe("samplePositions", () => {
  it("gives positions inside the tap, the same ones each time", () => {
    const positions = samplePositions("visual", 100, 7);
    assert.equal(positions.length, 100);
    assert.ok(positions.every((at) => Number.isInteger(at) && at >= 0 && at < 7));
    assert.deepEqual(samplePositions("visual", 100, 7), positions);
  });
});
