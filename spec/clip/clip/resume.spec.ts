import { strict as assert } from "node:assert";
import { clone, keep, memory, zeros, type Rank, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../../lib/clip/clip.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";
import { loadTiny, openGolden, tinyGolden } from "../../support/golden.ts";
import { valuesOf } from "../../support/values.ts";

const rows = [
  [0, 5, 9, 2],
  [0, 7, 2],
];

describe("Clip.resumeImage and Clip.resumeTokens", () => {
  let model: Clip;
  let pixels: Tensor4D;
  before(async () => {
    model = await loadTiny("gelu-mlp", "streamed");
    const golden = await openGolden(tinyGolden("gelu-mlp"));
    pixels = golden.readImage()!;
    await golden.close();
  });
  after(async () => {
    pixels.dispose();
    await model.dispose();
  });

  it("give the bits of the whole pass, from the output of any block", async () => {
    const streams = new Map<string, Tensor3D>();
    const before = memory().numTensors;
    const sink = (name: string, value: object): void => {
      if (/\.(resblocks|layer)\.\d$/.test(name)) streams.set(name, keep(clone(value as Tensor3D)));
    };
    const image = await valuesOf(withTaps(sink, () => model.encodeImage(pixels, { normalize: true })));
    const texts = await valuesOf(withTaps(sink, () => model.encodeTokens(rows)));
    assert.equal(streams.size, 6);
    for (const [name, stream] of streams) {
      const start = { block: Number(name.at(-1)) + 1, stream };
      const resumed = name.startsWith("visual")
        ? model.resumeImage(start, { normalize: true })
        : model.resumeTokens(rows, start);
      assert.deepEqual(await valuesOf(resumed), name.startsWith("visual") ? image : texts, name);
      stream.dispose();
    }
    assert.equal(memory().numTensors, before);
  });

  it("refuse a block that is not there and a stream that does not fit", async () => {
    const stream = zeros<Rank.R3>([2, 7, 40]);
    const text = zeros<Rank.R3>([2, 5, 32]);
    for (const [call, message] of [
      [
        () => model.resumeImage({ block: 4, stream }),
        /^resumeImage: expected a block from 0 to 3 of visual, found the number 4$/,
      ],
      [() => model.resumeImage({ block: 1, stream: text }), /shape \[B, L, 40\], found \[2,5,32\]$/],
      [() => model.resumeTokens(rows, { block: 1, stream: text }), /shape \[2, 4, 32\], found \[2,5,32\]$/],
    ] as const) {
      await assert.rejects(call(), { name: "InputError", message });
    }
    for (const tensor of [stream, text]) tensor.dispose();
  });
});
