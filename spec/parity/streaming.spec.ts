/** The two ways to run a tower, on the tiny models, and the taps that OpenCLIP's hooks have seen. */
import { strict as assert } from "node:assert";
import { memory, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import { Clip } from "../../lib/clip/clip.ts";
import { readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import type { Tower } from "../../lib/nn/tower.ts";
import { isImageTap } from "../../lib/parity/run-inputs.ts";
import { WeightScope, type ModelWeights } from "../../lib/tensor/model-weights.ts";
import { readTap, withTaps } from "../../lib/tensor/taps.ts";
import { loadAll, Weight, type Loadable } from "../../lib/tensor/weight.ts";
import { identityTaps, loadTiny, openGolden, tinyGolden, tinyModels } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";
import { runLoaded } from "../../lib/nn/stages.ts";

/** The values of all taps, in order, and the output as the last. */
type Taps = [name: string, values: number[]][];

/** The two towers with the inputs of a golden. */
interface Inputs {
  readonly pixels: Tensor4D;
  readonly rows: readonly (readonly number[])[];
}

async function inputsOf(name: string): Promise<Inputs & { readonly taps: readonly string[] }> {
  const golden = await openGolden(tinyGolden(name));
  const inputs = { pixels: golden.readImage()!, rows: golden.text!, taps: [...golden.taps.keys()] };
  await golden.close();
  return inputs;
}

async function streamed(run: () => Promise<Tensor2D>): Promise<Taps> {
  const taps: Taps = [];
  const output = await withTaps(async (name, value) => {
    const entry: Taps[number] = [name, []];
    taps.push(entry);
    entry[1] = [...(await readTap(value))];
  }, run);
  taps.push(["output", [...(await output.data())]]);
  output.dispose();
  return taps;
}

async function loaded<Input>(tower: Tower<Input>, input: Input): Promise<Taps> {
  await loadAll([tower.scope, ...tower.embedWeights(input)]);
  const taps: Taps = [];
  const output = withTaps(
    (name, value) => taps.push([name, [...value.dataSync()]]),
    () => runLoaded(tower, input),
  );
  taps.push(["output", [...output.dataSync()]]);
  output.dispose();
  return taps;
}

for (const name of tinyModels) {
  describe(`runners: ${name}`, () => {
    let inputs: Awaited<ReturnType<typeof inputsOf>>;
    let model: Clip;
    let streaming: Clip;
    before(async () => {
      inputs = await inputsOf(name);
      model = await loadTiny(name);
      streaming = await loadTiny(name, "streamed");
    });
    after(async () => {
      inputs.pixels.dispose();
      await Promise.all([model.dispose(), streaming.dispose()]);
    });

    it("give the same bits at the same taps, in the same order", async () => {
      const { pixels, rows } = inputs;
      const images = await streamed(() => streaming.visual.apply(pixels));
      assert.deepEqual(images, await loaded(model.visual, pixels));
      const texts = await streamed(() => streaming.text.apply(streaming.text.batch(rows)));
      assert.deepEqual(texts, await loaded(model.text, model.text.batch(rows)));
    });

    it("emit the taps of OpenCLIP's modules, each once", async () => {
      const { pixels, rows, taps } = inputs;
      const emitted = [
        ...(await streamed(() => streaming.visual.apply(pixels))),
        ...(await streamed(() => streaming.text.apply(streaming.text.batch(rows)))),
      ].map(([tap]) => tap);
      const modules = emitted.filter((tap) => tap !== "output" && !tap.includes("#"));
      const outside = ["image_features", "text_features", "logits_per_image"];
      const expected = taps.filter(
        (tap) =>
          !identityTaps.test(tap) &&
          !outside.includes(tap) &&
          !streaming.visual.identities.includes(tap) &&
          !streaming.text.identities.includes(tap),
      );
      assert.deepEqual(modules.toSorted(), expected.toSorted());
      assert.ok(modules.slice(0, modules.indexOf("visual") + 1).every(isImageTap));
    });
  });
}

describe("a streamed pass", () => {
  let inputs: Inputs;
  before(async () => {
    inputs = await inputsOf("gelu-mlp");
  });
  after(() => {
    inputs.pixels.dispose();
  });

  const visual = ({ visual, weights }: Clip): Parts => ({
    run: () => visual.apply(inputs.pixels),
    blocks: visual.blocks.map(({ scope }) => scope.path),
    embed: named(visual.embedWeights()),
    readOut: named(visual.readOutWeights),
    weights: namesUnder(weights, "visual."),
  });
  const text = ({ text, weights }: Clip): Parts => {
    const batch = text.batch(inputs.rows);
    return {
      run: () => text.apply(batch),
      blocks: text.blocks.map(({ scope }) => scope.path),
      embed: [...namesUnder(weights, "text.transformer.embeddings.")],
      readOut: named(text.readOutWeights),
      weights: namesUnder(weights, "text."),
    };
  };

  for (const [tower, partsOf] of Object.entries({ visual, text })) {
    it(`of ${tower} loads embed, each block and readOut in turn, one at a time`, async () => {
      const before = memory().numTensors;
      const { model, reads } = await recordingModel();
      const { run, blocks, embed, readOut, weights } = partsOf(model);
      const of = (part: string): string[] => weights.filter((name) => name.startsWith(`${part}.`));

      /** By part, in the order of the pass: what was loaded, and which parts had been read, at the part's taps. */
      const atTaps: { part: string; loaded: string; read: string }[] = [];
      const partOf = (name: string): string =>
        blocks.find((block) => name.startsWith(`${block}.`)) ??
        (embed.includes(name) ? "embed" : readOut.includes(name) ? "readOut" : "none");
      const summary = (names: readonly string[]): string => [...new Set(names.map(partOf))].join(" ");
      const sink = (name: string): void => {
        const block = blocks.find((path) => name === path || /^[.#]/.test(name.replace(path, "")));
        const part = block ?? (atTaps.some(({ part }) => part !== "embed") ? "end" : "embed");
        const loadedNow = model.weights.handles
          .filter(({ isLoaded }) => isLoaded)
          .map((handle) => handle.name);
        const at = { part, loaded: summary(loadedNow), read: summary(reads) };
        if (JSON.stringify(at) !== JSON.stringify(atTaps.at(-1))) atTaps.push(at);
        if (block !== undefined) assert.deepEqual(loadedNow.toSorted(), of(block).toSorted(), name);
      };
      (await withTaps(sink, run)).dispose();

      const [first, second, third] = blocks as [string, string, string];
      assert.deepEqual(atTaps, [
        { part: "embed", loaded: "embed", read: "embed" },
        { part: first, loaded: first, read: `embed ${first} ${second}` },
        { part: second, loaded: second, read: `embed ${first} ${second} ${third}` },
        { part: third, loaded: third, read: `embed ${first} ${second} ${third}` },
        { part: "end", loaded: "", read: `embed ${first} ${second} ${third}` }, // the containers
        { part: "end", loaded: "readOut", read: `embed ${first} ${second} ${third} readOut` },
        { part: "end", loaded: "", read: `embed ${first} ${second} ${third} readOut` }, // the tower
      ]);
      assert.deepEqual(
        model.weights.handles.filter(({ isLoaded }) => isLoaded),
        [],
      );
      assert.deepEqual([...new Set(reads)].toSorted(), [...weights].toSorted());
      await model.dispose();
      assert.equal(memory().numTensors, before);
    });
  }
});

interface Parts {
  readonly run: () => Promise<Tensor2D>;
  /** Paths. */
  readonly blocks: readonly string[];
  /** Names of weights. */
  readonly embed: readonly string[];
  readonly readOut: readonly string[];
  readonly weights: readonly string[];
}

/** The names of the weights in scopes and of single weights. */
function named(parts: readonly Loadable[]): string[] {
  return parts.flatMap((part) =>
    part instanceof WeightScope
      ? part.weights.map(({ name }) => name)
      : part instanceof Weight
        ? [part.name]
        : [],
  );
}

function namesUnder({ declared }: ModelWeights, prefix: string): string[] {
  return [...declared.keys()].filter((name) => name.startsWith(prefix));
}

/** A streamed model, with the names of the tensors that are read, in order. */
async function recordingModel(): Promise<{ readonly model: Clip; readonly reads: string[] }> {
  const directory = fixture("tiny/gelu-mlp");
  const { config, preprocess } = await readModelDirectory(directory);
  const file = await openWeights(directory);
  const reads: string[] = [];
  const model = new Clip({
    config,
    preprocess,
    residency: "streamed",
    loadTokenizer: () => Promise.reject(new Error("not used")),
    store: {
      name: file.name,
      tensors: file.tensors,
      metadata: file.metadata,
      read: (name, ...range) => {
        reads.push(name);
        return file.read(name, ...range);
      },
      close: () => file.close(),
    },
  });
  return { model, reads };
}
