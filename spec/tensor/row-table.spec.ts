import { strict as assert } from "node:assert";
import { memory, slice } from "@tensorflow/tfjs-core";
import { InputError } from "../../lib/errors/input-error.ts";
import { ModelWeights } from "../../lib/tensor/model-weights.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { openWeightsFile } from "../support/weights-file.ts";

describe("RowTable", () => {
  it("reads the rows of the given ids, each once, and neighbours together", async () => {
    const { weights: all, source } = await openWeightsFile();
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

  it("holds the rows of the last load only", async () => {
    const table = (await openWeightsFile()).weights.root.table("words.weight", [8, 2]);
    const before = memory().numTensors;
    await table.load(Int32Array.of(1, 2));
    await table.load(Int32Array.of(5));
    assert.deepEqual(table.ids, [5]);
    assert.deepEqual(table.rows.shape, [1, 2]);
    assert.throws(() => table.lookup(Int32Array.of(1)), /row 1 is not loaded/);
    table.release();
    assert.equal(memory().numTensors, before);
  });

  it("reads a row again only after dropping it, the least recently used row first", async () => {
    const width = 4 * 1024 * 1024; // a table keeps four rows of this width
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
      ], // drops 2, which was used the longest time ago
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

  it("refuses an id outside the table", async () => {
    const table = (await openWeightsFile()).weights.root.table("words.weight", [8, 2]);
    for (const id of [8, -1]) {
      await assert.rejects(table.load(Int32Array.of(id)), (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, new RegExp(`^words.weight: id ${id} is outside the table of 8 rows`));
        return true;
      });
    }
  });
});
