import assert from "node:assert/strict";
import { memory, scalar, tidy, zeros, type Rank, type Scalar, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { gradients } from "../../lib/clip/gradients.ts";
import { assertPixels, assertRows } from "../../lib/clip/inputs.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { exampleConfig } from "../support/example-config.ts";
import { loadTiny } from "../support/golden.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

function refused(check: () => void, message: string): void {
  assert.throws(check, (error: unknown) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.message, message);
    return true;
  });
}

describe("assertPixels", () => {
  const check =
    (shape: [number, number, number, number], dtype: "float32" | "int32" = "float32") =>
    (): void => {
      tidy(() => {
        assertPixels(zeros<Rank.R4>(shape, dtype), exampleConfig, "encodeImage");
      });
    };

  it("takes any number of images of the config's size", () => {
    check([1, 3, 1, 2])();
    check([5, 3, 1, 2])();
  });

  it("refuses another shape, no images, and integers", () => {
    const expected = "encodeImage: expected pixels of the shape [B, 3, 1, 2]";
    refused(check([1, 3, 2, 1]), `${expected}, got [1,3,2,1]`);
    refused(check([1, 1, 2, 3]), `${expected}, got [1,1,2,3]`);
    refused(check([0, 3, 1, 2]), `${expected}, got [0,3,1,2]`);
    refused(check([1, 3, 1, 2], "int32"), "encodeImage: expected float32 pixels, normalised, got int32");
  });
});

describe("assertRows", () => {
  const check = (rows: number[][]) => (): void => {
    assertRows(rows, exampleConfig, "encodeTokens");
  };

  it("takes rows up to the context length", () => {
    check([[0], [0, 3, 4]])();
  });

  it("refuses no rows, rows beyond the context, and ids that are not whole numbers", () => {
    refused(check([]), "encodeTokens: expected at least one text, got none");
    refused(check([[0], [0, 1, 2, 3]]), "encodeTokens: row 1 has 4 ids, the context holds 3");
    const holds = "encodeTokens: row 1 of the token ids holds";
    for (const id of [5.5, NaN, Infinity, 2 ** 32 + 5]) {
      refused(check([[0], [0, id]]), `${holds} ${id}, expected whole numbers`);
    }
  });
});

/** A value that TypeScript would not accept. */
const wrong = (value: unknown): never => value as never;

describe("wrong arguments of a model's methods", () => {
  let model: Clip;
  let pixels: Tensor4D;
  before(async () => {
    model = await openTinyClip();
    pixels = zeros<Rank.R4>([1, 3, 28, 42]);
  });
  after(async () => {
    pixels.dispose();
    await model.dispose();
  });

  async function refuses(message: RegExp | string, call: () => Promise<unknown>): Promise<void> {
    const before = memory().numTensors;
    await assert.rejects(call, { name: "InputError", message });
    assert.equal(memory().numTensors, before);
  }

  const texts: [value: unknown, message: string][] = [
    ["a cat", 'encodeText: expected a list of texts, found the text "a cat"; put it into [ ]'],
    [[null], "encodeText: expected a list of texts, found null at position 0"],
    [["a", 5], "encodeText: expected a list of texts, found the number 5 at position 1"],
    [[], "encodeText: expected at least one text, got none"],
    [undefined, "encodeText: expected a list of texts, found undefined"],
  ];
  for (const [value, message] of texts) {
    it(message, () => refuses(message, () => model.encodeText(wrong(value))));
  }

  const rows: [value: unknown, message: string][] = [
    [[["a"]], 'encodeTokens: row 0 of the token ids holds the text "a", expected whole numbers'],
    [[[0, undefined, 2]], "encodeTokens: row 0 of the token ids holds undefined, expected whole numbers"],
    [[[0, 5n, 2]], "encodeTokens: row 0 of the token ids holds the number 5, expected whole numbers"],
    [[new Int32Array([0, 2])], "encodeTokens: expected row 0 to be a list of token ids, found an Int32Array"],
    [[0, 5, 2], "encodeTokens: expected row 0 to be a list of token ids, found the number 0"],
    ["a", 'encodeTokens: expected a list of lists of token ids, found the text "a"'],
  ];
  for (const [value, message] of rows) {
    it(message, () => refuses(message, () => model.encodeTokens(wrong(value))));
  }

  const images: [value: unknown, message: string][] = [
    [[1, 2, 3], "encodeImage: expected a tensor of pixels [B, 3, 28, 42], found a list of 3"],
    ["a.png", 'encodeImage: expected a tensor of pixels [B, 3, 28, 42], found the text "a.png"'],
    [undefined, "encodeImage: expected a tensor of pixels [B, 3, 28, 42], found undefined"],
  ];
  for (const [value, message] of images) {
    it(message, () => refuses(message, () => model.encodeImage(wrong(value))));
  }

  it("a disposed tensor", async () => {
    const disposed = zeros<Rank.R4>([1, 3, 28, 42]);
    disposed.dispose();
    const message = "encodeImage: expected pixels [B, 3, 28, 42], found a disposed tensor";
    await refuses(message, () => model.encodeImage(disposed));
  });

  for (const batchSize of [0, -1, NaN, Infinity, 1.5, "8", null]) {
    const found =
      batchSize === null
        ? "null"
        : typeof batchSize === "string"
          ? 'the text "8"'
          : `the number ${batchSize}`;
    it(`batchSize: ${found}`, async () => {
      const options = wrong({ batchSize });
      const message = `batchSize: expected a whole number of at least 1, found ${found}`;
      await refuses(`encodeText: ${message}`, () => model.encodeText(["a"], options));
      await refuses(`encodeTokens: ${message}`, () => model.encodeTokens([[0, 2]], options));
    });
  }

  it("options", async () => {
    const encode = (options: unknown) => () => model.encodeImage(pixels, wrong(options));
    await refuses(
      'encodeImage: unknown option "normalise"; the options are normalize, signal, onBlock',
      encode({ normalise: true }),
    );
    await refuses("encodeImage: expected an object of options, found true", encode(true));
    await refuses("encodeImage: expected an object of options, found null", encode(null));
    await refuses(
      "encodeImage: normalize: expected true or false, found the number 1",
      encode({ normalize: 1 }),
    );
    await refuses(
      "encodeImage: signal: expected an AbortSignal, found an AbortController; pass the signal of an AbortController",
      encode({ signal: new AbortController() }),
    );
  });

  it("embeddings for logits", async () => {
    const embeddings = zeros<Rank.R2>([2, 24]);
    const wide = zeros<Rank.R2>([2, 25]);
    await refuses("logits: expected text embeddings of the shape [B, 24], found [2,25]", () =>
      model.logits(embeddings, wide),
    );
    await refuses("logits: expected a tensor of image embeddings [B, embedDim], found undefined", () =>
      model.logits(wrong(undefined), embeddings),
    );
    embeddings.dispose();
    wide.dispose();
  });

  it("of gradients", async () => {
    const loss = (): Scalar => scalar(1);
    await refuses("gradients: expected a model from loadModel, found a Promise; await it", () =>
      gradients(wrong(Promise.resolve(model)), { pixels }, loss),
    );
    await refuses("gradients: expected a function that computes the loss, found undefined", () =>
      gradients(model, { pixels }, wrong(undefined)),
    );
    await refuses(/^gradients: unknown option "pixel"; the options are pixels, rows$/, () =>
      gradients(model, wrong({ pixel: pixels }), loss),
    );
    // The first failure leaves the weights in memory.
    await assert.rejects(
      gradients(
        model,
        { pixels },
        wrong(() => 1),
      ),
    );
    await refuses("gradients: expected the loss to be a scalar tensor, found the number 1", () =>
      gradients(
        model,
        { pixels },
        wrong(() => 1),
      ),
    );
    await refuses("gradients: expected the loss to be a scalar, found a tensor [1,24]", () =>
      gradients(
        model,
        { pixels },
        wrong(({ images }: { images: unknown }) => images),
      ),
    );
  });
});

describe("a tensor that the caller disposes at once", () => {
  it("is used all the same", async () => {
    const model = await openTinyClip();
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const expected = await model.encodeImage(pixels);
    const busy = model.encodeText(["a text, so that the image waits"]);
    const embedding = model.encodeImage(pixels);
    pixels.dispose();
    assert.deepEqual(await (await embedding).array(), await expected.array());
    for (const tensor of [expected, await embedding, await busy]) tensor.dispose();
    await model.dispose();
  });
});

describe("a signal", () => {
  it("that is aborted already stops a call before it reads weights or a tokenizer", async () => {
    const model = await openTinyClip();
    const reason = new Error("no longer wanted");
    const signal = AbortSignal.abort(reason);
    const pixels = zeros<Rank.R4>([1, 3, 28, 42]);
    const before = memory().numTensors;
    const isReason = (error: unknown): boolean => error === reason;
    await assert.rejects(model.encodeImage(pixels, { signal }), isReason);
    await assert.rejects(model.encodeTokens([[0, 2]], { signal }), isReason);
    await assert.rejects(model.encodeText(["a"], { signal }), isReason);
    await assert.rejects(model.visual.apply(pixels, { signal }), isReason);
    const withoutTokenizer = await loadTiny("gelu-mlp");
    await assert.rejects(withoutTokenizer.encodeText(["a"], { signal }), isReason);
    await withoutTokenizer.dispose();
    assert.equal(memory().numTensors, before);
    pixels.dispose();
    await model.dispose();
  });

  it("that is aborted while the call waits in the queue stops it before it begins", async () => {
    const model = await openTinyClip();
    const controller = new AbortController();
    const busy = model.encodeText(["a"]);
    const waiting = model.encodeTokens([[0, 2]], { signal: controller.signal });
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    (await busy).dispose();
    await model.dispose();
  });
});
