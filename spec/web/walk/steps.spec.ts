/** Each claim of the walk, measured on the demo model. */
import assert from "node:assert/strict";
import { attention } from "../../../lib/studio/calls/attention.ts";
import { intervene } from "../../../lib/studio/calls/intervene.ts";
import { lens } from "../../../lib/studio/calls/lens.ts";
import { similarities, stream } from "../../../lib/studio/calls/stream.ts";
import { alignment, pooling, texts } from "../../../lib/studio/calls/texts.ts";
import { weights } from "../../../lib/studio/calls/weights.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import type { ImagePass, TextPass } from "../../../lib/studio/results.ts";
import { toNumbers } from "../../../lib/tensor/dtype.ts";
import { tensorInfo } from "../../../lib/tensor/store.ts";
import { formatRoute, home, parseRoute } from "../../../web/state/route.ts";
import { steps } from "../../../web/walk/steps.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";

/** Of the class token and the patch in a row and a column, counted from 1. */
const patch = (row: number, column: number): number => (row - 1) * 6 + column;

const argmax = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((best, value, i, all) => (value > all[best]! ? i : best), 0);
const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

/** Of a filter [3, pixels]: how much of its energy is in the mean of the colours. */
function brightnessShare(filter: Float32Array): number {
  const pixels = filter.length / 3;
  let [bright, whole] = [0, 0];
  for (let i = 0; i < pixels; i++) {
    const colours = [0, 1, 2].map((c) => filter[c * pixels + i]!);
    bright += mean(colours) ** 2 * 3;
    whole += colours.reduce((sum, value) => sum + value ** 2, 0);
  }
  return bright / whole;
}

describe("the walk", () => {
  const context = recordingContext();
  let passes: Passes;
  let image: ImagePass;
  let text: TextPass;
  before(async () => {
    passes = await demoPasses();
    image = (await passes.image(await sampleImage("three-brown-stars"), {})).result;
    text = (await passes.text("three brown stars", {})).result;
  });
  after(() => passes.model.dispose());

  const claims: Readonly<Record<string, () => unknown>> = {
    "An image becomes 36 patches": () => {
      const shapes = new Map(image.taps.map(({ name, shape }) => [name, shape]));
      assert.deepEqual(shapes.get("input.image"), [1, 3, 84, 84]);
      assert.deepEqual(shapes.get("visual.conv1"), [1, 96, 6, 6]);
      assert.deepEqual(shapes.get("visual.ln_pre"), [1, 37, 96]);
    },
    "Filters respond to brightness and colour": async () => {
      const { tensors } = await weights(passes, { absoluteScale: false }, context);
      const { shape } = tensors.find(({ name }) => name === "visual.conv1.weight")!;
      assert.deepEqual(shape, [96, 3, 14, 14]);
      const { store } = passes.model.weights;
      const name = "visual.conv1.weight";
      const values = Float32Array.from(toNumbers(tensorInfo(store, name).dtype, await store.read(name))!);
      const shares = Array.from({ length: 96 }, (_, filter) =>
        brightnessShare(values.subarray(filter * 588, (filter + 1) * 588)),
      );
      assert.ok(Math.max(...shares) > 0.9, "gray filters");
      assert.ok(shares.filter((share) => share < 0.1).length > 10, "filters of colour");
    },
    "Position embeddings form a grid": async () => {
      const { positions } = await weights(passes, { absoluteScale: false }, context);
      const [inLine, elsewhere]: [number[], number[]] = [[], []];
      for (const [i, cosine] of positions.entries()) {
        const [a, b] = [Math.floor(i / 36), i % 36];
        const isInLine = Math.floor(a / 6) === Math.floor(b / 6) || a % 6 === b % 6;
        if (a !== b) (isInLine ? inLine : elsewhere).push(cosine);
      }
      assert.ok(mean(inLine) > 0.4 && Math.abs(mean(elsewhere)) < 0.1);
    },
    "Blocks add to a stream": async () => {
      const { norms } = await stream(passes, { trace: image.trace }, context);
      assert.equal(norms.length, 5);
      const means = norms.map(mean);
      for (const [i, norm] of means.slice(1).entries()) assert.ok(norm > means[i]!);
    },
    "The MLP adds more than attention": async () => {
      const { steps: blocks } = await stream(passes, { trace: image.trace }, context);
      assert.ok(blocks.every(({ attention: moved, mlp }) => mlp > moved));
    },
    "Heads attend to different patches": () => {
      const heads = image.heads[3]!;
      assert.equal(argmax(heads.map(({ entropy }) => -entropy)), 2);
      assert.equal(argmax(heads[2]!.row), patch(5, 5));
      assert.ok(heads[2]!.row[patch(5, 5)]! > 0.5);
    },
    "Some heads attend to the background": async () => {
      const matrix = await attention(passes, { trace: image.trace, layer: 3, head: 0 }, context);
      const row = matrix.slice(0, 37);
      assert.ok(Math.max(...row) < 0.15);
      // The stars cover rows 2 to 6 and columns 2 to 6; the frame of the image is background.
      const background = [1, 2, 3, 4, 5, 6].map((column) => row[patch(1, column)]!);
      assert.ok(mean(background) > mean(row));
    },
    "Patches of stars are alike": async () => {
      const cosines = await similarities(passes, { trace: image.trace, state: 3 }, context);
      const row = cosines.subarray(patch(3, 3) * 37, (patch(3, 3) + 1) * 37);
      assert.ok(row[patch(5, 2)]! > 0.8, "the lower left star");
      assert.ok(row[patch(5, 5)]! > 0.7, "the lower right star");
      for (const column of [1, 2, 3, 4, 5, 6]) assert.ok(row[patch(1, column)]! < 0, "background");
    },
    "A text becomes tokens": () => {
      assert.deepEqual(
        text.tokens.map(({ piece }) => piece),
        ["<s>", "▁three", "▁brown", "▁stars", "</s>"],
      );
      assert.equal(text.received.length, 2);
    },
    "The number has the largest share": async () => {
      const { kind, shares } = (await pooling(passes, { trace: text.trace }, context))!;
      assert.equal(kind, "mean");
      assert.equal(argmax(shares!), 1);
    },
    "Languages share one embedding": async () => {
      const { texts: read, cosines } = await texts(
        passes,
        { texts: ["three brown stars", "drei braune Sterne"] },
        context,
      );
      assert.ok(cosines[1]! > 0.99);
      const aligned = await alignment(passes, { a: read[0]!.trace, b: read[1]!.trace, state: 2 }, context);
      const columns = read[1]!.tokens.length;
      const best = argmax(aligned.subarray(columns, 2 * columns));
      assert.equal(read[1]!.tokens[best]!.piece, "▁drei");
    },
    "One number compares image and text": async () => {
      const { cosine, logit } = (await passes.joint(image.trace, text.trace)).result;
      const { scale } = await passes.info("", "");
      assert.ok(Math.abs(logit - scale * cosine) < 1e-3);
      for (const { trace } of [image, text]) {
        const name = trace === image.trace ? "image_features" : "text_features";
        const features = await passes.find(trace).trace.read(name);
        assert.ok(Math.abs(Math.hypot(...features) - 1) < 1e-5);
      }
    },
    "The count appears in the last block": async () => {
      const { labels } = steps[12]!.route;
      const { probabilities } = await lens(
        passes,
        { trace: image.trace, labels: labels!, templates: ["{}"] },
        context,
      );
      assert.deepEqual(probabilities.map(argmax), [1, 1, 1, 2]);
    },
    "Where the model counts to three": async () => {
      const { labels } = steps[13]!.route;
      const question = { trace: image.trace, labels: labels!, templates: ["{}"], by: "zero" } as const;
      const tap = "visual.transformer.resblocks.3.attn#probabilities";
      const answers: number[] = [];
      for (const head of [0, 1, 2, 3]) {
        const { before: whole, after } = await intervene(
          passes,
          { ...question, tap, heads: [head] },
          context,
        );
        assert.equal(argmax(whole), 2);
        answers.push(argmax(after));
      }
      assert.deepEqual(answers, [1, 2, 2, 2]);
    },
  };

  it("has fourteen steps, each with its claim", () => {
    assert.deepEqual(
      steps.map(({ title }) => title),
      Object.keys(claims),
    );
    assert.equal(steps.length, 14);
  });

  it("has steps that the address can hold", () => {
    for (const [i, { route }] of steps.entries()) {
      const whole = { ...home, ...route, walk: i + 1 };
      assert.deepEqual(parseRoute(formatRoute(whole)), { route: whole, problems: [] });
    }
  });

  for (const [title, claim] of Object.entries(claims))
    it(title, async () => {
      await claim();
    });
});
