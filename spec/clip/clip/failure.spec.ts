/** A pass that fails or is stopped leaves nothing in memory. */
import { strict as assert } from "node:assert";
import { setTimeout as wait } from "node:timers/promises";
import { keep, memory, zeros, type Rank, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import { Clip } from "../../../lib/clip/clip.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { openWeights } from "../../../lib/node/models/weights-file.ts";
import type { TensorStore } from "../../../lib/tensor/store.ts";
import { readTap, withTaps, type TapSink } from "../../../lib/tensor/taps.ts";
import type { Residency } from "../../../lib/tensor/weight.ts";
import { loadTiny } from "../../support/golden.ts";
import { fixture } from "../../support/paths.ts";

const text = [[0, 5, 9, 2]];

/** A model whose store is changed. */
async function modelOn(
  change: (file: TensorStore) => Partial<TensorStore>,
  residency: Residency,
): Promise<Clip> {
  const directory = fixture("tiny/gelu-mlp");
  const { config, preprocess } = await readModelDirectory(directory);
  const file = await openWeights(directory);
  const store: TensorStore = {
    name: file.name,
    tensors: file.tensors,
    metadata: file.metadata,
    read: (...range) => file.read(...range),
    close: () => file.close(),
    ...change(file),
  };
  const loadTokenizer = (): Promise<never> => Promise.reject(new Error("not used"));
  return new Clip({ config, store, preprocess, loadTokenizer, residency });
}

/** A model in which one tensor cannot be read, and reading any other takes a moment. */
const damaged = (unreadable: string): Promise<Clip> =>
  modelOn(
    (file) => ({
      read: async (name, ...range) => {
        if (name === unreadable) throw new InputError("the disk is gone");
        await wait(2);
        return file.read(name, ...range);
      },
    }),
    "streamed",
  );

let pixels: Tensor4D;

/** Both towers, with all of their taps. */
async function runBoth(model: Clip, signal?: AbortSignal): Promise<void> {
  (await model.encodeImage(pixels, { normalize: true, signal })).dispose();
  (await model.encodeTokens(text, { normalize: true, signal })).dispose();
}

describe("a pass", () => {
  before(() => {
    pixels = zeros<Rank.R4>([1, 3, 28, 42]);
  });
  after(() => {
    pixels.dispose();
  });

  describe("whose weights cannot be read", () => {
    for (const name of [
      "visual.conv1.weight",
      "visual.transformer.resblocks.1.ln_2.weight",
      "text.transformer.embeddings.LayerNorm.weight",
      "text.transformer.embeddings.word_embeddings.weight",
      "text.proj.2.weight",
    ]) {
      it(`frees the weights next to ${name}, including those that arrive later`, async () => {
        const before = memory().numTensors;
        const model = await damaged(name);
        const failing = name.startsWith("visual") ? model.encodeImage(pixels) : model.encodeTokens(text);
        await assert.rejects(failing, /the disk is gone/);
        assert.equal(memory().numTensors, before);
        await wait(10);
        assert.equal(memory().numTensors, before);
        await model.dispose();
      });
    }
  });

  const failures: Readonly<Record<string, (fails: (name: string) => boolean) => TapSink>> = {
    "whose sink throws": (fails) => (name) => {
      if (fails(name)) throw new Error("the sink is full");
    },
    "whose asynchronous sink rejects": (fails) => async (name, value) => {
      await readTap(value);
      if (fails(name)) throw new Error("the sink is full");
    },
  };
  for (const [what, sinkThat] of Object.entries(failures)) {
    describe(what, () => {
      it("fails and leaves no tensor behind, whatever the tap", async () => {
        const model = await loadTiny("gelu-mlp", "streamed");
        const names: string[] = [];
        await withTaps(
          (name) => names.push(name),
          () => runBoth(model),
        );
        assert.ok(names.length > 50);
        const before = memory().numTensors;
        for (const failing of names) {
          const sink = sinkThat((name) => name === failing);
          await assert.rejects(
            withTaps(sink, () => runBoth(model)),
            /the sink is full/,
            failing,
          );
          assert.equal(memory().numTensors, before, failing);
        }
        await model.dispose();
      });
    });
  }

  describe("with a slow asynchronous sink", () => {
    it("keeps the taps of one block at most", async () => {
      const model = await loadTiny("gelu-mlp");
      await runBoth(model); // now all weights are loaded
      const before = memory().numTensors;
      const atBlocks: number[] = [];
      let kept = 0;
      const sink = async (name: string, value: Tensor): Promise<void> => {
        if (/resblocks\.\d+\.ln_1$/.test(name)) {
          assert.equal(kept, 0, `before ${name}`);
          atBlocks.push(memory().numTensors);
        }
        const copy = keep(value.clone());
        kept++;
        await wait(1);
        copy.dispose();
        kept--;
      };
      await withTaps(sink, () => runBoth(model));
      // The tensors alive at each block's first tap: the same number, although each block has nine taps.
      assert.deepEqual(atBlocks, Array(3).fill(atBlocks[0]));
      assert.equal(memory().numTensors, before);
      await model.dispose();
    });
  });

  describe("with a signal", () => {
    it("stops before the next block and leaves nothing behind, wherever it is aborted", async () => {
      const reads: string[] = [];
      const model = await modelOn(
        (file) => ({
          read: (name, ...range) => {
            reads.push(name);
            return file.read(name, ...range);
          },
        }),
        "streamed",
      );
      await runBoth(model);
      const before = memory().numTensors;
      const ofVisual = reads.filter((name) => name.startsWith("visual"));
      for (const block of [0, 1]) {
        const controller = new AbortController();
        const names: string[] = [];
        const sink = (name: string): void => {
          names.push(name);
          if (name === `visual.transformer.resblocks.${block}.ln_1`) controller.abort(new Error("stopped"));
        };
        await assert.rejects(
          withTaps(sink, () => runBoth(model, controller.signal)),
          /stopped/,
        );
        assert.equal(names.at(-1), `visual.transformer.resblocks.${block}`);
        assert.equal(memory().numTensors, before);
        reads.length = 0;
        (await model.encodeImage(pixels)).dispose();
        assert.deepEqual(reads, ofVisual, "the bytes of the next block were kept");
      }
      await model.dispose();
    });

    it("stops a text too", async () => {
      const model = await loadTiny("gelu-mlp");
      const aborted = AbortSignal.abort(new Error("stopped"));
      const before = memory().numTensors;
      await assert.rejects(model.encodeTokens([[0, 5, 2], [0, 2]], { signal: aborted, batchSize: 1 }), /stopped/); // prettier-ignore
      model.weights.dispose();
      assert.equal(memory().numTensors, before);
      await model.dispose();
    });
  });
});
