import assert from "node:assert/strict";
import {
  exp,
  fill,
  matMul,
  memory,
  mul,
  tensor2d,
  tidy,
  transpose,
  type Rank,
  type Tensor2D,
} from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { l2Normalize } from "../../lib/clip/normalize.ts";
import { zeroShotClassifier, zeroShotPrompts, type ZeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { assertNear } from "../support/near.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

const classNames = ["cat", "dog", "a rather long name", "猫"];
const templates = ["{}", "a photo of a {}", "{} or {}, a drawing"];

describe("zeroShotClassifier", () => {
  let model: Clip;
  let classifier: ZeroShotClassifier;
  let images: Tensor2D;

  before(async () => {
    model = await openTinyClip();
    classifier = await zeroShotClassifier(model, classNames, templates);
    const numbers = Array.from({ length: 2 * 24 }, (_, i) => Math.sin(i * i));
    images = l2Normalize(tensor2d(numbers, [2, 24]));
  });

  after(async () => {
    images.dispose();
    classifier.dispose();
    await model.dispose();
  });

  it("averages templates as CLIP_benchmark: normalise, mean per class, normalise again", async () => {
    const expected = await Promise.all(classNames.map((name) => classDirection(model, name)));
    assert.deepEqual(classifier.weight.shape, [24, 4]);
    const weight = await classifier.weight.array();
    for (const [c, direction] of expected.entries()) {
      assertNear(
        weight.map((row) => row[c]!),
        direction,
        1e-6,
      );
    }
  });

  it("gives the same for classes in several batches", async () => {
    const many = Array.from({ length: 150 }, (_, i) => `${i}`);
    const whole = await zeroShotClassifier(model, many, ["{}", "no {}"]);
    const last = await zeroShotClassifier(model, ["149"], ["{}", "no {}"]);
    const columns = (await whole.weight.array()).map((row) => row[149]!);
    assertNear(columns, (await last.weight.array()).flat(), 1e-6);
    whole.dispose();
    last.dispose();
  });

  it("logits are exp(logit_scale) · features · weight, probabilities their softmax", async () => {
    const logits = await classifier.logits(images);
    const probabilities = await classifier.probabilities(images);
    const [weight, rows] = [await classifier.weight.array(), await images.array()];
    const scale = Math.exp(model.logitScale.tensor.dataSync()[0]!);
    for (const [i, row] of rows.entries()) {
      const expected = classNames.map((_, c) => scale * dot(row, (d) => weight[d]![c]!));
      assertNear((await logits.array())[i]!, expected, 1e-4);
      const exponentials = expected.map((logit) => Math.exp(logit - Math.max(...expected)));
      const total = exponentials.reduce((a, b) => a + b);
      assertNear(
        (await probabilities.array())[i]!,
        exponentials.map((e) => e / total),
        1e-5,
      );
    }
    logits.dispose();
    probabilities.dispose();
  });

  it("scores are sorted, best first", async () => {
    const scores = await classifier.scores(images);
    assert.equal(scores.length, 2);
    for (const row of scores) {
      assert.deepEqual(row.map(({ label }) => label).sort(), [...classNames].sort());
      assert.deepEqual(
        row.map(({ logit }) => logit),
        row.map(({ logit }) => logit).sort((a, b) => b - a),
      );
      assertNear([row.reduce((sum, { probability }) => sum + probability, 0)], [1], 1e-6);
    }
  });

  it("rejects scores that are not finite", async () => {
    const damaged = fill<Rank.R2>([1, 24], NaN);
    const before = memory().numTensors;
    await assert.rejects(
      classifier.scores(damaged),
      /expected finite scores, found NaN: the model's weights are damaged/,
    );
    assert.equal(memory().numTensors, before);
    damaged.dispose();
  });

  it("takes features that are not normalised, as embedImages gives them", async () => {
    const factors = tensor2d([[250], [1e-3]]);
    const raw = mul<Tensor2D>(images, factors);
    for (const [i, row] of (await classifier.scores(raw)).entries()) {
      const expected = (await classifier.scores(images))[i]!;
      assert.deepEqual(
        row.map(({ label }) => label),
        expected.map(({ label }) => label),
      );
      assertNear(
        row.map(({ probability }) => probability),
        expected.map(({ probability }) => probability),
        1e-5,
      );
    }
    for (const tensor of [factors, raw]) tensor.dispose();
  });

  it("multiplies normalised features as they are, bit for bit", async () => {
    const logits = await classifier.logits(images);
    const expected = tidy(() =>
      mul(exp(model.logitScale.tensor), matMul(images, transpose(classifier.weight), false, true)),
    );
    assert.deepEqual(await logits.array(), await expected.array());
    for (const tensor of [logits, expected]) tensor.dispose();
  });

  it("rejects features of another width, and what is not a tensor", async () => {
    const wide = fill<Rank.R2>([1, 25], 1);
    await assert.rejects(classifier.scores(wide), {
      name: "InputError",
      message: "the classifier: expected image embeddings of the shape [B, 24], found [1,25]",
    });
    await assert.rejects(
      classifier.probabilities([[1]] as never),
      /image embeddings \[B, 24\], found a list of 1$/,
    );
    wide.dispose();
  });

  it("says that it, or its model, is disposed", async () => {
    const other = await openTinyClip();
    const [first, second] = [
      await zeroShotClassifier(other, ["x", "y"]),
      await zeroShotClassifier(other, ["x", "y"]),
    ];
    first.dispose();
    await other.dispose();
    const ofClassifier = {
      name: "InputError",
      message: "the classifier is disposed; make another one with zeroShotClassifier",
    };
    const ofModel = {
      name: "InputError",
      message: /^the model is disposed \(.*\); load it again to use it$/,
    };
    for (const [given, expected] of [
      [first, ofClassifier],
      [second, ofModel],
    ] as const) {
      await assert.rejects(given.logits(images), expected);
      await assert.rejects(given.probabilities(images), expected);
      await assert.rejects(given.scores(images), expected);
    }
    await assert.rejects(zeroShotClassifier(other, ["x"]), ofModel);
    second.dispose();
  });

  it("a callback that throws leaves no tensors", async () => {
    const before = memory().numTensors;
    const onProgress = (): never => {
      throw new Error("the callback failed");
    };
    await assert.rejects(zeroShotClassifier(model, ["x"], ["{}"], { onProgress }), /the callback failed/);
    assert.equal(memory().numTensors, before);
  });

  const wrong: [args: unknown[], message: string][] = [
    [["red"], 'zeroShotClassifier: expected a list of class names, found the text "red"; put it into [ ]'],
    [[["red", 5]], "zeroShotClassifier: expected a list of class names, found the number 5 at position 1"],
    [
      [["red"], "a {}"],
      'zeroShotClassifier: expected a list of templates, found the text "a {}"; put it into [ ]',
    ],
    [
      [["red"], ["{}"], { progress: 1 }],
      'zeroShotClassifier: unknown option "progress"; the options are onProgress',
    ],
    [
      [["red"], ["{}"], { onProgress: 1 }],
      "zeroShotClassifier: onProgress: expected a function, found the number 1",
    ],
  ];
  for (const [args, message] of wrong) {
    it(`rejects: ${message}`, async () => {
      const call = zeroShotClassifier as (...given: unknown[]) => Promise<unknown>;
      await assert.rejects(call(model, ...args), { name: "InputError", message });
    });
  }

  it("keeps no tensors, and can be disposed twice", async () => {
    const before = memory().numTensors;
    const other = await zeroShotClassifier(model, ["x", "y"], templates);
    await other.scores(images);
    (await other.probabilities(images)).dispose();
    other.dispose();
    other.dispose();
    assert.equal(memory().numTensors, before);
  });
});

describe("zeroShotPrompts", () => {
  it("inserts the class name literally at each {}", () => {
    assert.deepEqual(zeroShotPrompts(["$& cat", "{}"], ["{}", "{} and {}"]), [
      ["$& cat", "$& cat and $& cat"],
      ["{}", "{} and {}"],
    ]);
  });

  const rejected: [names: string[], templates: string[], message: string][] = [
    [[], ["{}"], "expected at least one class name, got none"],
    [["cat"], [], "expected at least one template, got none"],
    [["cat", "&nbsp;"], ["{}"], "class name 2 is blank; remove it"],
    [["cat", "dog", "cat"], ["{}"], 'the class name "cat" is given twice'],
    [
      ["cat", "dog", " cat\u200a"],
      ["{}"],
      'the class names "cat" and " cat\u200a" are the same after text cleaning; remove one',
    ],
    [
      ["cat"],
      ["{}", "a photo of {c}"],
      'template "a photo of {c}": expected "{}" where the class name goes, as in "a photo of a {}"',
    ],
  ];
  for (const [names, given, message] of rejected) {
    it(`rejects: ${message}`, () => {
      assert.throws(() => zeroShotPrompts(names, given), { name: "InputError", message });
    });
  }
});

/** The direction of a class, computed in JavaScript, one prompt at a time. */
async function classDirection(model: Clip, name: string): Promise<number[]> {
  const sum = new Array<number>(24).fill(0);
  for (const template of templates) {
    const embedding = await model.encodeText([template.split("{}").join(name)]);
    const values = [...embedding.dataSync()];
    embedding.dispose();
    for (const [d, value] of unit(values).entries()) sum[d]! += value / templates.length;
  }
  return unit(sum);
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function dot(row: readonly number[], other: (d: number) => number): number {
  return row.reduce((sum, value, d) => sum + value * other(d), 0);
}
