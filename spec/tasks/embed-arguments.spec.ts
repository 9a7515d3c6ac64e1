import assert from "node:assert/strict";
import { zeros, type Rank } from "@tensorflow/tfjs-core";
import { embedImage, embedImages, embedImageTaps, rankImages } from "../../lib/node/images/embed-images.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

describe("wrong arguments of embedImages", () => {
  let model: Clip;
  before(async () => {
    model = await openTinyClip();
  });
  after(() => model.dispose());

  const call = embedImages as (...given: unknown[]) => AsyncGenerator;
  const lists: [images: unknown, message: string][] = [
    ["a.png", 'embedImages: expected a list of images, found the text "a.png"; put it into [ ]'],
    [undefined, "embedImages: expected a list of images, found undefined"],
    [[null], "embedImages: expected the path of an image at position 0 of the list, found null"],
    [
      ["a.png", ["b.png"]],
      "embedImages: expected the path of an image at position 1 of the list, found a list of 1",
    ],
  ];
  for (const [images, message] of lists) {
    it(message, () => {
      assert.throws(() => call(model, images), { name: "InputError", message });
    });
  }

  const whole = "expected a whole number of at least";
  const options: [options: unknown, message: string][] = [
    [{ batchSize: 0 }, `batchSize: ${whole} 1, found the number 0`],
    [{ batchSize: NaN }, `batchSize: ${whole} 1, found the number NaN`],
    [{ batchSize: Infinity }, `batchSize: ${whole} 1, found the number Infinity`],
    [{ batchSize: 1.5 }, `batchSize: ${whole} 1, found the number 1.5`],
    [{ batchSize: "8" }, `batchSize: ${whole} 1, found the text "8"`],
    [{ workers: -1 }, `workers: ${whole} 0, found the number -1`],
    [{ normalize: "yes" }, 'normalize: expected true or false, found the text "yes"'],
    [{ exifOrientation: 1 }, "exifOrientation: expected true or false, found the number 1"],
    [{ pool: "average" }, 'pool: expected one of class, mean, found the text "average"'],
    [{ tap: 5 }, "tap: expected a list of one tap, found the number 5 at position 0"],
    [{ onError: true }, "onError: expected a function, found true"],
    [{ onProgress: {} }, "onProgress: expected a function, found an object"],
  ];
  for (const [given, message] of options) {
    it(message, () => {
      assert.throws(() => call(model, ["a.png"], given), {
        name: "InputError",
        message: `embedImages: ${message}`,
      });
    });
  }

  it("unknown options", () => {
    const known =
      "batchSize, normalize, pool, tap, exifOrientation, convertToRgbFirst, workers, onError, onProgress";
    assert.throws(() => call(model, ["a.png"], { normalise: true }), {
      name: "InputError",
      message: `embedImages: unknown option "normalise"; the options are ${known}`,
    });
  });

  it("no model", () => {
    assert.throws(() => call("a.png"), {
      name: "InputError",
      message: 'embedImages: expected a model from loadModel, found the text "a.png"',
    });
    assert.throws(() => call(Promise.resolve(model), []), /found a Promise; await it$/);
  });

  it("of its relatives", async () => {
    const taps = embedImageTaps as (...given: unknown[]) => AsyncGenerator;
    assert.throws(
      () => taps(model, "a.png", ["visual"]),
      /^InputError: embedImageTaps: expected a list of images/,
    );
    await assert.rejects(embedImage(model, 5 as never), /expected the path of an image .*found the number 5/);
    const query = zeros<Rank.R2>([1, 24]);
    for (const top of [0, -1, 1.5, NaN]) {
      await assert.rejects(rankImages(model, query, [], { top }), {
        name: "InputError",
        message: `top: expected a whole number of at least 1, found the number ${top}`,
      });
    }
    query.dispose();
    await assert.rejects(rankImages(model, "a cat" as never, []), {
      name: "InputError",
      message: 'rank: expected a tensor of a query [1, embedDim], found the text "a cat"',
    });
  });
});
