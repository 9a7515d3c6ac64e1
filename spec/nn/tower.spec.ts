import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import {
  memory,
  mul,
  scalar,
  tensor3d,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
} from "@tensorflow/tfjs-core";
import { runStreaming, withWeights } from "../../lib/nn/tower.ts";
import { pass, readTap, withTaps } from "../../lib/tensor/taps.ts";
import type { Loadable } from "../../lib/tensor/weight.ts";
import { example, expectedTaps, weights, type ExampleTower } from "../support/example-tower.ts";
import { assertValues } from "../support/layers.ts";

describe("runStreaming", () => {
  let x: Tensor3D;
  let before: number;
  beforeEach(() => {
    x = tensor3d([[[1, 2]]]);
    before = memory().numTensors;
  });
  afterEach("no tensor is left", () => {
    assert.equal(memory().numTensors, before);
    x.dispose();
  });

  const run = (tower: ExampleTower, signal?: AbortSignal): Promise<Tensor2D> => tower.apply(x, { signal });

  it("embeds, runs the blocks in order, and reads out", async () => {
    const { tower } = example("streamed");
    const taps: Record<string, unknown> = {};
    const embedding = await withTaps(
      async (name, value) => {
        taps[name] = undefined; // keeps the order of emission
        await readTap(value);
        taps[name] = value.arraySync();
      },
      () => run(tower),
    );
    assert.deepEqual(Object.entries(taps), Object.entries(expectedTaps));
    assertValues(embedding, [[193]]);
    embedding.dispose();
  });

  it("holds the weights of one part at a time, while those of the next block are being read", async () => {
    const { tower, store, loaded } = example("streamed");
    const seen: Record<string, { loaded: string[]; read: number }> = {};
    const sink = (name: string): void => {
      seen[name] = { loaded: loaded(), read: store.reads.length };
    };
    (await withTaps(sink, () => run(tower))).dispose();
    const of = (i: number): string[] => [`tower.blocks.${i}.scale`, `tower.blocks.${i}.shift`];
    assert.deepEqual(seen, {
      "tower.blocks.0": { loaded: of(0), read: 5 }, // factor, block 0, block 1
      "tower.blocks.1": { loaded: of(1), read: 7 },
      "tower.blocks.2": { loaded: of(2), read: 7 },
      "tower.inner": { loaded: [], read: 7 },
      "tower.outer": { loaded: [], read: 7 },
      tower: { loaded: [], read: 8 },
    });
    assert.deepEqual(store.reads, ["tower.factor", ...of(0), ...of(1), ...of(2), "tower.head"]);
    assert.deepEqual(loaded(), []);
  });

  it("keeps resident weights and does not read them again", async () => {
    const { tower, store, scope, loaded } = example("resident");
    (await run(tower)).dispose();
    (await run(tower)).dispose();
    assert.deepEqual(store.reads.length, 8);
    assert.deepEqual(loaded().length, 8);
    for (const weight of scope.weights) weight.dispose();
  });

  it("waits for an asynchronous sink after each block", async () => {
    const { tower } = example("streamed");
    const events: string[] = [];
    const embedding = await withTaps(
      async (name) => {
        events.push(name);
        await wait(2);
        events.push(`${name} is done`);
      },
      () => run(tower),
    );
    embedding.dispose();
    assert.deepEqual(events, [
      ...["tower.blocks.0", "tower.blocks.0 is done"],
      ...["tower.blocks.1", "tower.blocks.1 is done"],
      ...["tower.blocks.2", "tower.blocks.2 is done"],
      ...["tower.inner", "tower.outer", "tower.inner is done", "tower.outer is done"],
      ...["tower", "tower is done"],
    ]);
  });

  it("stops before the next block when the signal is aborted, and throws its reason", async () => {
    const { tower, store, loaded } = example("streamed");
    const controller = new AbortController();
    const names: string[] = [];
    const stopped = withTaps(
      (name) => {
        names.push(name);
        controller.abort(new Error("the user has left"));
      },
      () => run(tower, controller.signal),
    );
    await assert.rejects(stopped, /the user has left/);
    assert.deepEqual(names, ["tower.blocks.0"]);
    assert.deepEqual(loaded(), []);

    // The bytes of block 1, read ahead, are released too: the next pass reads all weights.
    store.reads.length = 0;
    (await run(tower)).dispose();
    assert.deepEqual(store.reads, Object.keys(weights));
  });

  it("begins at a block, with the stream that the block takes", async () => {
    const { tower, store } = example("streamed");
    for (const [block, stream] of [
      [0, [[[10, 20]]]],
      [2, [[[63, 123]]]],
      [3, [[[163, 223]]]],
    ] as const) {
      store.reads.length = 0;
      const names: string[] = [];
      const start = tensor3d(stream as unknown as number[][][]);
      const embedding = await withTaps(
        (name) => names.push(name),
        () => pass(() => runStreaming(tower, x, {}, { block, stream: start })),
      );
      assertValues(embedding, [[193]]);
      assert.deepEqual(names, Object.keys(expectedTaps).slice(block));
      assert.deepEqual(store.reads, Object.keys(weights).slice(1 + 2 * block));
      for (const tensor of [embedding, start]) tensor.dispose();
    }
  });

  it("tells when a block is done", async () => {
    const { tower } = example("streamed");
    const told: number[][] = [];
    (await tower.apply(x, { onBlock: (...state) => told.push(state) })).dispose();
    assert.deepEqual(told, [
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it("throws the reason of a signal that is aborted at the start", async () => {
    const { tower } = example("streamed");
    const names: string[] = [];
    const aborted = withTaps(
      (name) => names.push(name),
      () => run(tower, AbortSignal.abort(new Error("too late"))),
    );
    await assert.rejects(aborted, /too late/);
    assert.deepEqual(names, []);
  });

  it("runs inside a pass that its caller has begun", async () => {
    const { tower } = example("streamed");
    const embedding = await pass(() => runStreaming(tower, x));
    assertValues(embedding, [[193]]);
    embedding.dispose();
  });

  it("uses a patched value in the rest of the pass", async () => {
    const { tower } = example("streamed");
    const embedding = await withTaps(
      async (_, value) => {
        await readTap(value);
      },
      () => run(tower),
      (name, value) => (name === "tower.blocks.1" ? mul(value, 0) : null),
    );
    assertValues(embedding, [[100]]); // (100 + 100) / 2
    embedding.dispose();
  });
});

describe("withWeights", () => {
  /** A weight that is 2 while it is loaded. */
  class ExampleWeight implements Loadable {
    tensor: Tensor | null = null;

    load(): Promise<void> {
      this.tensor = scalar(2);
      return Promise.resolve();
    }

    release(): void {
      this.tensor?.dispose();
      this.tensor = null;
    }
  }

  it("releases the weights when the computation is done, and when it fails", async () => {
    const before = memory().numTensors;
    const weight = new ExampleWeight();
    const output = await withWeights([weight], () => mul(weight.tensor!, 21));
    assertValues(output, 42);
    assert.equal(weight.tensor, null);
    output.dispose();
    const failing = withWeights([weight], () => {
      mul(weight.tensor!, 21);
      throw new Error("no memory");
    });
    await assert.rejects(failing, /no memory/);
    assert.equal(memory().numTensors, before);
  });

  it("releases what it has loaded when another weight cannot be loaded", async () => {
    const before = memory().numTensors;
    const missing: Loadable = {
      load: () => Promise.reject(new Error("the disk is gone")),
      release: () => undefined,
    };
    const failing = withWeights([missing, new ExampleWeight()], () => assert.fail("computed"));
    await assert.rejects(failing, /the disk is gone/);
    assert.equal(memory().numTensors, before);
  });

  it("frees the output when a sink fails, also if it fails later", async () => {
    const before = memory().numTensors;
    const { tower } = example("resident");
    await tower.blocks[0]!.scope.load();
    const x = tensor3d([[[1, 2]]]);
    const failing = withTaps(
      async () => {
        await wait(1);
        throw new Error("the sink is full");
      },
      () => pass(() => withWeights([], () => tower.blocks[0]!.apply(x))),
    );
    await assert.rejects(failing, /the sink is full/);
    x.dispose();
    for (const weight of tower.scope.weights) weight.dispose();
    assert.equal(memory().numTensors, before);
  });
});
