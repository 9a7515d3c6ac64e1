import { strict as assert } from "node:assert";
import { encodeSafetensors, SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { statistics, tensorStatistics, type TensorStatistics } from "../../lib/tensor/statistics.ts";
import { MemorySource } from "../support/memory-source.ts";

describe("statistics", () => {
  it("gives the figures worked out by hand", () => {
    // Mean 1, squared distances 1, 1, 9, 1, 4.
    const { mean, std, norm, kurtosis, zeros } = statistics([0, 0, 4, 2, -1]);
    assert.equal(mean, 1);
    assert.ok(Math.abs(std - Math.sqrt(16 / 5)) < 1e-12);
    assert.ok(Math.abs(norm - Math.sqrt(21)) < 1e-12);
    assert.ok(Math.abs(kurtosis - 100 / 5 / (16 / 5) ** 2) < 1e-12);
    assert.equal(zeros, 0.4);
  });

  it("keeps digits far from zero", () => {
    const { std } = statistics([1e8 + 1, 1e8 - 1]);
    assert.equal(std, 1);
  });

  it("gives NaN for the kurtosis of equal numbers", () => {
    assert.ok(Number.isNaN(statistics([3, 3]).kurtosis));
  });
});

describe("tensorStatistics", () => {
  async function of(...values: number[]): Promise<TensorStatistics | null> {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    const file = encodeSafetensors([{ name: "x", dtype: "F32", shape: [values.length], bytes }]);
    return tensorStatistics(await SafetensorsFile.open(new MemorySource(file)), "x");
  }

  it("leaves out and counts numbers that are not finite", async () => {
    const expected = { min: -1, max: 3, mean: 1, std: 2, nan: 1, infinite: 2 };
    assert.deepEqual(await of(3, NaN, -1, Infinity, -Infinity), expected);
  });

  it("gives nulls if no number is finite", async () => {
    const nulls = { min: null, max: null, mean: null, std: null };
    assert.deepEqual(await of(NaN), { ...nulls, nan: 1, infinite: 0 });
  });

  it("gives null for a dtype without plain numbers", async () => {
    const file = encodeSafetensors([{ name: "x", dtype: "C64", shape: [1], bytes: new Uint8Array(8) }]);
    assert.equal(await tensorStatistics(await SafetensorsFile.open(new MemorySource(file)), "x"), null);
  });
});
