import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { decodeImage } from "../../../lib/image/decode.ts";
import type { DecodedImage, PixelMode } from "../../../lib/image/image.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { datasetFiles } from "../../../lib/node/eval/dataset-files.ts";
import { imageOf } from "../../../tools/demo-model/dataset.ts";
import { writeTar } from "../../../tools/datasets/encode/tar.ts";
import { World, type Encoding } from "../../../tools/datasets/world.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const world = new World(1, 16);

/** The image's drawing: [height, width, 4]. */
const drawn = imageOf(world.scene(3), 1, 3, 150, 100).data;

/** How far an image is from the drawing, on average over pixels and channels. */
function distance({ width, height, stride, data }: DecodedImage, channels: readonly number[]): number {
  let sum = 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (const [i, channel] of channels.entries()) {
      sum += Math.abs(data[pixel * stride + i]! - drawn[4 * pixel + channel]!);
    }
  }
  return sum / (width * height * channels.length);
}

describe("the generator's images", () => {
  const modes: Readonly<Record<Encoding, PixelMode>> = {
    webp: "RGB",
    jpg: "RGB",
    "cmyk-jpg": "CMYK",
    "rgb-png": "RGB",
    "rgba-png": "RGBA",
    "gray-png": "L",
    "gray-alpha-png": "LA",
    "gray16-png": "I;16",
    "palette-png": "P",
  };
  for (const [encoding, mode] of Object.entries(modes) as [Encoding, PixelMode][]) {
    it(`${encoding} is decoded to mode ${mode}`, async () => {
      const image = await decodeImage(await world.image(3, encoding), encoding, nodeCodecs());
      assert.deepEqual([image.mode, image.width, image.height], [mode, 150, 100]);
      if (mode === "RGB" || mode === "RGBA") {
        const away = distance(image, [0, 1, 2]);
        if (encoding === "jpg") assert.ok(away > 0 && away < 4, `${away}`);
        else assert.equal(away, 0, "lossless");
      }
    });
  }

  it("a palette's colours are near the drawing's", async () => {
    const { data, palette } = await decodeImage(await world.image(3, "palette-png"), "palette", nodeCodecs());
    for (let pixel = 0; pixel < 150 * 100; pixel++) {
      for (let channel = 0; channel < 3; channel++) {
        const away = Math.abs(palette![3 * data[pixel]! + channel]! - drawn[4 * pixel + channel]!);
        assert.ok(away <= 26, `pixel ${pixel}: ${away}`);
      }
    }
  });
});

describe("the generator's tars", () => {
  const folder = temporaryFolder();

  it("hold their files in order", async () => {
    const files = [
      { name: "s0000000.cls", content: Buffer.from("3") },
      { name: "s0000000.jpg", content: new Uint8Array(512) },
      { name: "s0000001.cls", content: new Uint8Array(0) },
    ];
    await writeFile(folder.file("0.tar"), writeTar(files));
    const members = await datasetFiles.tar(folder.file("0.tar"));
    assert.deepEqual(
      members.map(({ path, size, offset }) => [path, size, offset]),
      [
        ["s0000000.cls", 1, 512],
        ["s0000000.jpg", 512, 1536],
        ["s0000001.cls", 0, 2560],
      ],
    );
  });

  it("refuse names that their format has no room for", () => {
    assert.throws(() => writeTar([{ name: "x".repeat(101), content: new Uint8Array(0) }]), RangeError);
  });
});
