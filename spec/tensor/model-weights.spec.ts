import { strict as assert } from "node:assert";
import { memory, slice } from "@tensorflow/tfjs-core";
import { InputError } from "../../lib/errors/input-error.ts";
import { encodeSafetensors, SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { ModelWeights } from "../../lib/tensor/model-weights.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import { MemorySource } from "../support/memory-source.ts";

async function weights(
  residency: Residency = "resident",
): Promise<{ weights: ModelWeights; source: MemorySource }> {
  const f32 = (length: number): Uint8Array =>
    new Uint8Array(Float32Array.from({ length }, (_, i) => i).buffer);
  const source = new MemorySource(
    encodeSafetensors([
      { name: "block.fc.weight", dtype: "F32", shape: [2, 3], bytes: f32(6) },
      { name: "block.fc.bias", dtype: "F32", shape: [2], bytes: f32(2) },
      { name: "conv.weight", dtype: "F32", shape: [2, 3, 1, 2], bytes: f32(12) },
      {
        name: "words.weight",
        dtype: "F16",
        shape: [8, 2],
        bytes: new Uint8Array(Uint16Array.from({ length: 16 }, (_, i) => 0x3c00 + i).buffer),
      },
    ]),
  );
  return { weights: new ModelWeights(await SafetensorsFile.open(source), residency), source };
}

describe("ModelWeights", () => {
  it("are permuted as the one table says", async () => {
    const { root } = (await weights()).weights;
    const linear = root.at("block").at("fc").get("weight", [2, 3], "linear");
    const conv = root.at("conv").get("weight", [2, 3, 1, 2], "conv2d");
    await root.load();
    assert.deepEqual(linear.tensor.arraySync(), [
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    assert.deepEqual(conv.tensor.shape, [1, 2, 3, 2]);
    // [out, in, height, width] (1, 2, 0, 0) = 10 stands at [height, width, in, out] (0, 0, 2, 1), the sixth.
    assert.equal(conv.tensor.dataSync()[5], 10);
    linear.dispose();
    conv.dispose();
  });

  it("load by scope, and are there only between load and release where they are streamed", async () => {
    const { weights: streamed } = await weights("streamed");
    const before = memory().numTensors;
    const block = streamed.root.at("block");
    const weight = block.get("fc.weight", [2, 3]);
    const conv = streamed.root.get("conv.weight", [2, 3, 1, 2]);
    await block.load();
    assert.equal(weight.tensor.shape.join(), "2,3");
    assert.throws(() => conv.tensor, /conv.weight is used before load/);
    block.release();
    assert.throws(() => weight.tensor, /block.fc.weight is used before load\(\) or after release/);
    assert.equal(memory().numTensors, before);
  });

  it("stay until dispose where they are resident, and are read once", async () => {
    const { weights: resident, source } = await weights();
    const before = memory().numTensors;
    const bias = resident.root.get("block.fc.bias", [2]);
    await Promise.all([bias.load(), bias.load()]);
    source.reads.length = 0;
    bias.release();
    await bias.load();
    assert.deepEqual([...bias.tensor.dataSync()], [0, 1]);
    assert.equal(source.reads.length, 0);
    resident.dispose();
    assert.equal(memory().numTensors, before);
  });

  it("a scope's prefix ends at a dot", async () => {
    const { weights: streamed } = await weights("streamed");
    const bias = streamed.root.get("block.fc.bias", [2]);
    await streamed.root.at("bloc").load();
    assert.throws(() => bias.tensor);
  });

  it("belong to one layer each", async () => {
    const { root } = (await weights()).weights;
    root.at("block").get("fc.bias", [2]);
    assert.throws(() => root.get("block.fc.bias", [2]), /two layers ask for block.fc.bias/);
  });

  it("everything missing, misshapen and unexpected is listed whole", async () => {
    const { weights: all } = await weights();
    all.root.get("block.fc.weight", [3, 2]);
    all.root.get("block.fc.bias", [2]);
    all.root.get("head.weight", [5]);
    assert.throws(
      () => {
        all.assertAllRead(["words.weight"]);
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

describe("prefetch", () => {
  it("reads once what load then takes, and what comes of a failure shows in load", async () => {
    const { weights: all, source } = await weights();
    const table = all.root.at("words");
    const weight = table.get("weight", [8, 2]);
    source.reads.length = 0;
    table.prefetch();
    table.prefetch();
    await weight.load();
    table.prefetch();
    assert.equal(source.reads.length, 1);
    assert.equal(weight.isLoaded, true);
    all.dispose();

    source.read = () => Promise.reject(new InputError("gone"));
    table.prefetch();
    await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would end the process
    await assert.rejects(weight.load(), /gone/);
  });
});

describe("RowTable", () => {
  it("reads the rows of the ids at hand, each once and neighbours together", async () => {
    const { weights: all, source } = await weights();
    const table = all.root.at("words").table("weight", [8, 2]);
    source.reads.length = 0;
    await table.load(Int32Array.of(6, 1, 2, 6, 3));
    assert.deepEqual(
      source.reads.map(({ length }) => length),
      [3 * 4, 4],
    );
    assert.deepEqual([...table.lookup(Int32Array.of(6, 1, 6))], [3, 0, 3]);
    const half = (bits: number): number => 1 + bits / 1024;
    assert.deepEqual(table.rows.arraySync()[3], [half(12), half(13)]);
    table.release();
    assert.throws(() => table.rows, /words.weight is used before load/);
  });

  it("holds the rows of its last load alone", async () => {
    const table = (await weights()).weights.root.table("words.weight", [8, 2]);
    const before = memory().numTensors;
    await table.load(Int32Array.of(1, 2));
    await table.load(Int32Array.of(5));
    assert.deepEqual(table.ids, [5]);
    assert.deepEqual(table.rows.shape, [1, 2]);
    assert.throws(() => table.lookup(Int32Array.of(1)), /row 1 was not loaded/);
    table.release();
    assert.equal(memory().numTensors, before);
  });

  it("reads a row once, and again only when it has had to make room", async () => {
    const width = 4 * 1024 * 1024; // four rows fill what a table keeps
    const reads: number[] = [];
    const store: TensorStore = {
      name: "a wide table",
      metadata: {},
      tensors: new Map([["words.weight", { dtype: "F32", shape: [6, width], offset: 0, size: 24 * width }]]),
      read: (_, start = 0, length = 0) => {
        reads.push(start / (4 * width));
        return Promise.resolve(new Uint8Array(new Float32Array(length / 4).fill(start).buffer));
      },
      close: () => Promise.resolve(),
    };
    const table = new ModelWeights(store).root.table("words.weight", [6, width]);
    for (const [ids, read] of [
      [
        [0, 2, 4],
        [0, 2, 4],
      ],
      [[4, 0], []],
      [
        [5, 3],
        [3, 5],
      ], // 2 was used longest ago
      [[0, 4], []],
      [[2], [2]],
    ] as const) {
      reads.length = 0;
      await table.load(Int32Array.from(ids));
      assert.deepEqual(reads, read, `rows ${ids.join()}`);
      for (const [at, id] of [...ids].sort().entries()) {
        assert.equal(slice(table.rows, [at, 0], [1, 1]).dataSync()[0], id * 4 * width);
      }
    }
    table.release();
  });

  it("an id outside the table is an input error", async () => {
    const table = (await weights()).weights.root.table("words.weight", [8, 2]);
    await assert.rejects(table.load(Int32Array.of(8)), InputError);
    await assert.rejects(table.load(Int32Array.of(-1)), InputError);
  });
});
