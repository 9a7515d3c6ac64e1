import assert from "node:assert/strict";
import { memory, ones, tensor2d, zeros, type Tensor } from "@tensorflow/tfjs-core";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";
import { RowTable } from "../../lib/tensor/row-table.ts";
import { TrainedTable } from "../../lib/train/trained-table.ts";
import type { StatePart } from "../../lib/train/parameter.ts";

const shape = [9000, 4] as const; // more than one piece
const name = "words.weight";
const update = { weightDecay: 0.2, beta1: 0.9, beta2: 0.98, epsilon: 1e-6 };
const store = new SyntheticStore([[name, shape]]);

async function read(table: TrainedTable, part: StatePart): Promise<Float32Array> {
  const all = new Float32Array(shape[0] * shape[1]);
  let at = 0;
  for await (const piece of table.read(part)) {
    all.set(piece, at);
    at += piece.length;
  }
  assert.equal(at, all.length);
  return all;
}

/** Steps in which texts read these rows; each number of a row that is read has the gradient 1. */
async function train(table: TrainedTable, steps: readonly (readonly number[])[]): Promise<void> {
  for (const [i, ids] of steps.entries()) {
    await table.handle.load(Int32Array.from(ids));
    const gradient: Tensor = table.aligned(ones([table.handle.ids.length, shape[1]]));
    table.update(gradient, { ...update, rate: 0.01 * (i + 1), step: i + 1 });
    table.handle.release();
  }
}

describe("TrainedTable", () => {
  it("gives what updating the whole table gives, with the read rows alone in memory", async () => {
    const before = memory().numTensors;
    const lazy = new TrainedTable(new RowTable(store, name, shape));
    const whole = new TrainedTable(new RowTable(store, name, shape));
    const steps = [[5, 8999, 5], [7], [5, 4097], [], [8999]];
    const every = Array.from({ length: shape[0] }, (_, id) => id);
    // The reference has all rows in memory from the start: a gradient of 0 for those that no text reads.
    await whole.handle.load(Int32Array.from(every));
    for (const [i, ids] of steps.entries()) {
      const rows = new Float32Array(shape[0] * shape[1]);
      for (const id of ids) rows.fill(1, id * shape[1], (id + 1) * shape[1]);
      whole.update(whole.aligned(tensor2d(rows, [...shape])), {
        ...update,
        rate: 0.01 * (i + 1),
        step: i + 1,
      });
      await whole.handle.load(Int32Array.from(every));
    }
    for (const [i, ids] of steps.entries()) {
      await lazy.handle.load(Int32Array.from(ids.length > 0 ? ids : [5]));
      const gradient = ids.length > 0 ? ones([lazy.handle.ids.length, shape[1]]) : zeros([1, shape[1]]);
      lazy.update(lazy.aligned(gradient), { ...update, rate: 0.01 * (i + 1), step: i + 1 });
      lazy.handle.release();
    }
    assert.equal(lazy.active, 4);
    for (const part of ["value", "mean", "square"] as const) {
      const [ours, expected] = [await read(lazy, part), await read(whole, part)];
      for (let i = 0; i < ours.length; i++) {
        assert.ok(Math.abs(ours[i]! - expected[i]!) <= 3e-7 * Math.abs(expected[i]!), `${part} ${i}`);
      }
    }
    whole.handle.dispose();
    for (const table of [lazy, whole]) table.dispose();
    assert.equal(memory().numTensors, before);
  });

  it("reads changed rows in the next pass, and stored ones after dispose", async () => {
    const table = new TrainedTable(new RowTable(store, name, shape));
    const stored = (await read(table, "value")).slice(20, 24);
    await train(table, [[5]]);
    await table.handle.load(Int32Array.of(5, 6));
    const [changed, decayed] = [
      table.handle.rows.dataSync().slice(0, 4),
      table.handle.rows.dataSync().slice(4),
    ];
    assert.notDeepEqual([...changed], [...stored]);
    const other = (await read(table, "value")).slice(24, 28);
    assert.deepEqual([...decayed], [...other]);
    table.dispose();
    await table.handle.load(Int32Array.of(5));
    assert.deepEqual([...table.handle.rows.dataSync()], [...stored]);
    table.handle.dispose();
  });
});
