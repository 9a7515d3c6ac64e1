import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { decodeImage, maximumPixels } from "../../lib/image/decode.ts";
import type { DecodeOptions } from "../../lib/image/decode.ts";
import type { DecodedImage } from "../../lib/image/image.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { fixture } from "../support/paths.ts";

const codecs = nodeCodecs();

function decode(bytes: Uint8Array, options?: DecodeOptions): Promise<DecodedImage> {
  return decodeImage(bytes, "image.xyz", codecs, options);
}

async function image(name: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(fixture(`images/${name}`)));
}

/** The error's message, which must be one line. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await decode(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof InputError, `not an InputError: ${String(error)}`);
  assert.ok(!error.message.includes("\n"), error.message);
  assert.ok(error.message.startsWith("image.xyz: expected "), error.message);
  return error.message;
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function patched(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

describe("decodeImage", () => {
  it("decodes a BMP of 2 x 1 pixels", async () => {
    const bmp = new Uint8Array(54 + 8);
    bmp.set(text("BM"));
    const view = new DataView(bmp.buffer);
    view.setUint32(10, 54, true); // where the pixels start
    view.setUint32(14, 40, true); // size of the second header
    view.setUint32(18, 2, true); // width
    view.setUint32(22, 1, true); // height
    view.setUint16(28, 24, true); // bits per pixel
    // Blue, green, red of each pixel; rows are padded to a multiple of 4 bytes.
    bmp.set([1, 2, 3, 40, 50, 60, 0, 0], 54);
    const { width, height, mode, stride, data } = await decode(bmp);
    assert.deepEqual({ width, height, mode, stride }, { width: 2, height: 1, mode: "RGB", stride: 3 });
    assert.deepEqual([...data], [3, 2, 1, 60, 50, 40]);
  });

  it("refuses other files, and names the supported formats", async () => {
    assert.match(
      await refusal(text("hello, I am a text file")),
      /JPEG, PNG, WebP, GIF, TIFF and BMP.*none of these/,
    );
    assert.match(await refusal(new Uint8Array(0)), /an empty file/);
    assert.match(await refusal(new Uint8Array(1)), /none of these/);
  });

  it("names known formats that are not supported", async () => {
    const box = (brand: string) => text(`\0\0\0\x20ftyp${brand}\0\0\0\0`);
    assert.match(await refusal(box("avif")), /AVIF, which is not supported/);
    assert.match(await refusal(box("heic")), /HEIC, which is not supported/);
    assert.match(await refusal(text("%PDF-1.7")), /PDF/);
    assert.match(await refusal(text('<?xml version="1.0"?><svg xmlns="…">')), /SVG/);
  });

  it("names the compression of a TIFF that is not supported", async () => {
    const bytes = await image("tiff-bilevel.tif");
    const tag = Buffer.from(bytes).indexOf(Uint8Array.of(3, 1, 3, 0, 1, 0, 0, 0));
    assert.match(
      await refusal(patched(bytes, tag + 8, [4, 0])),
      /expected a supported TIFF image, found CCITT Group 4 \(fax\) compression, number 4 \(supported: none, LZW, Deflate, PackBits and JPEG\); save it as PNG/,
    );
  });

  it("refuses too many pixels by the header, before anything is decoded", async () => {
    const huge = [0, 0, 0xea, 0x60];
    const little = [0x60, 0xea];
    const files: Record<string, Uint8Array> = {
      // The checksum of the changed PNG header is wrong too, but checked later.
      png: patched(await image("png-rgb8.png"), 16, [...huge, ...huge]),
      gif: patched(await image("gif-palette.gif"), 6, [...little, ...little]),
      bmp: patched(await image("bmp-rgb.bmp"), 18, [0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]),
      webp: patched(await image("webp-animated.webp"), 24, [0x5f, 0xea, 0, 0x5f, 0xea, 0]),
    };
    const jpeg = await image("jpeg-444.jpg");
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    files["jpeg"] = patched(jpeg, frame + 5, [0xea, 0x60, 0xea, 0x60]);
    const before = process.memoryUsage().rss;
    for (const [format, bytes] of Object.entries(files)) {
      assert.match(await refusal(bytes), /at most 178956970 pixels, found 60000 x 60000/, format);
    }
    assert.ok(process.memoryUsage().rss - before < 1e8);
    assert.equal(maximumPixels, 178956970);
  });

  it("refuses images without pixels", async () => {
    assert.match(
      await refusal(patched(await image("png-rgb8.png"), 16, [0, 0, 0, 0])),
      /found 0 x 37 pixels/,
    );
    const gif = await image("gif-palette.gif");
    const frame = gif.findIndex((byte, i) => byte === 0x2c && gif[i + 1] === 0 && gif[i + 2] === 0);
    const empty = patched(patched(gif, 6, [0, 0]), frame + 5, [0, 0]);
    assert.match(await refusal(empty), /found 0 x 41 pixels/);
  });

  it("refuses truncated files of each format", async () => {
    const names = [
      "png-rgb8.png",
      "jpeg-420.jpg",
      "jpeg-420-progressive.jpg",
      "jpeg-cmyk.jpg",
      "webp-lossy.webp",
      "webp-animated.webp",
      "gif-palette.gif",
      "tiff-rgb.tif",
      "tiff-lzw.tif",
      "bmp-rgb.bmp",
      "bmp-rle8.bmp",
    ];
    for (const name of names) {
      const bytes = await image(name);
      for (const part of [0.5, 0.9]) {
        const message = await refusal(bytes.slice(0, Math.floor(bytes.length * part)));
        assert.match(message, /expected a complete (JPEG|PNG|WebP|GIF|TIFF|BMP) image, found /, name);
      }
    }
  });

  it("refuses a JPEG without its end marker, like Pillow", async () => {
    const bytes = await image("jpeg-444.jpg");
    assert.match(await refusal(bytes.slice(0, -2)), /truncated/);
  });

  it("refuses a PNG chunk with a wrong checksum", async () => {
    const bytes = await image("png-palette8.png");
    // The first colour of the palette, after the signature, the header and the start of PLTE.
    assert.match(
      await refusal(patched(bytes, 41, [(bytes[41] ?? 0) ^ 1])),
      /"PLTE" chunk, whose checksum differs/,
    );
  });

  it("applies the Exif orientation only if asked", async () => {
    for (const name of ["jpeg-orientation6.jpg", "png-orientation.png", "webp-orientation.webp"]) {
      const bytes = await image(name);
      const stored = await decode(bytes);
      const turned = await decode(bytes, { exifOrientation: true });
      assert.deepEqual([turned.width, turned.height], [stored.height, stored.width], name);
      // Orientation 6: the first row is the first stored column, from the bottom up.
      const band = stored.stride;
      for (let x = 0; x < turned.width; x++) {
        const from = (stored.height - 1 - x) * stored.width * band;
        assert.equal(turned.data[x * band], stored.data[from], name);
      }
    }
    const upsideDown = await image("jpeg-orientation3.jpg");
    const stored = await decode(upsideDown);
    const turned = await decode(upsideDown, { exifOrientation: true });
    const last = (stored.width * stored.height - 1) * stored.stride;
    assert.equal(turned.data[0], stored.data[last]);
  });
});
