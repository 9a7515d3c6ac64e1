import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { decodeImage } from "../../../lib/image/decode.ts";
import { wasmCodecs, withSharp } from "../../../lib/node/images/codecs.ts";
import { exactFormats, loadSharp, type SharpDecoder } from "../../../lib/node/images/sharp-decoder.ts";
import { compareCase, readCases } from "../../../tools/golden/image-cases.ts";
import { fixture } from "../../support/paths.ts";

const folder = fixture("images");

/** Puts a segment behind a JPEG's start marker. */
function withSegment(jpeg: Buffer, marker: number, contents: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(contents.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, contents, jpeg.subarray(2)]);
}

/** A colour profile of an RGB display whose red and green primaries are swapped, and whose gamma is 1. */
function profile(): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(Math.round(value * 65_536));
    return bytes;
  };
  const xyz = (...values: readonly number[]): Buffer =>
    Buffer.concat([Buffer.from("XYZ \0\0\0\0"), ...values.map(number)]);
  const linear = Buffer.from([...Buffer.from("curv"), 0, 0, 0, 0, 0, 0, 0, 0]);
  const description = Buffer.concat([Buffer.from("desc\0\0\0\0\0\0\0\x02x\0", "latin1"), Buffer.alloc(78)]);
  const text = Buffer.from("text\0\0\0\0x\0\0\0");
  const [red, green, blue] = [xyz(0.436, 0.222, 0.014), xyz(0.385, 0.717, 0.097), xyz(0.143, 0.061, 0.714)];
  const tags: readonly (readonly [string, Buffer])[] = [
    ["desc", description],
    ["cprt", text],
    ["wtpt", xyz(0.9642, 1, 0.8249)],
    ["rXYZ", green],
    ["gXYZ", red],
    ["bXYZ", blue],
    ["rTRC", linear],
    ["gTRC", linear],
    ["bTRC", linear],
  ];
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length);
  let at = 128 + table.length;
  for (const [i, [name, contents]] of tags.entries()) {
    table.write(name, 4 + 12 * i, "latin1");
    table.writeUInt32BE(at, 8 + 12 * i);
    table.writeUInt32BE(contents.length, 12 + 12 * i);
    at += contents.length;
  }
  const header = Buffer.alloc(128);
  header.writeUInt32BE(at);
  header.write("\x02\x10\0\0mntrRGB XYZ ", 8, "latin1");
  header.write("acsp", 36, "latin1");
  Buffer.concat([0.9642, 1, 0.8249].map(number)).copy(header, 68);
  return Buffer.concat([header, table, ...tags.map(([, contents]) => contents)]);
}

describe("sharp as a decoder", () => {
  let sharp: SharpDecoder;

  before(async () => {
    const loaded = await loadSharp();
    assert.ok(loaded !== undefined, "sharp is a development dependency; run npm ci");
    sharp = loaded;
  });

  it("is exact for JPEG and WebP", () => {
    assert.deepEqual([...sharp.exact], ["jpeg", "webp"]);
  });

  it("gives the reference's pixels and floats for each JPEG and WebP, and is never given CMYK", async () => {
    const seen = { decoded: 0, rejected: 0 };
    const codecs = withSharp({
      ...sharp,
      decode: async (format, bytes) => {
        try {
          const image = await sharp.decode(format, bytes);
          seen.decoded += 1;
          return image;
        } catch (error) {
          seen.rejected += 1;
          throw error;
        }
      },
    });
    const wrong: string[] = [];
    let decodable = 0;
    for (const item of await readCases(folder)) {
      if (!["JPEG", "WEBP"].includes(item.format)) continue;
      for (const { what, where } of await compareCase(folder, item, codecs)) {
        if (where !== undefined) wrong.push(`${item.file} (${item.mode}), ${what}: ${where}`);
      }
      // JPEGs of four inks, or with halved rows alone, are decoded in lib/image.
      if (item.mode !== "CMYK" && item.file !== "jpeg-440.jpg") decodable += 1;
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(seen, { decoded: decodable, rejected: 0 });
    assert.ok(decodable >= 20, `${decodable} files`);
  });

  it("ignores colour profiles and the Exif orientation", async () => {
    const plain = await readFile(fixture("images/jpeg-444.jpg"));
    const signature = Buffer.from("ICC_PROFILE\0\x01\x01", "latin1");
    const profiled = withSegment(plain, 0xe2, Buffer.concat([signature, profile()]));
    const { default: direct } = await import("sharp");
    const converted = await direct(profiled).raw().toBuffer();
    const expected = await sharp.decode("jpeg", plain);
    assert.notDeepEqual(
      new Uint8Array(converted),
      expected.data,
      "the profile has no effect in sharp itself",
    );
    assert.deepEqual(await sharp.decode("jpeg", profiled), expected);
    const turned = await readFile(fixture("images/jpeg-orientation6.jpg"));
    const [ours, reference] = [await sharp.decode("jpeg", turned), await wasmCodecs().jpeg(turned)];
    assert.deepEqual([ours.width, ours.height], [reference.width, reference.height]);
  });

  it("leaves damaged files to the other decoder", async () => {
    const whole = await readFile(fixture("images/jpeg-420.jpg"));
    const damaged = Uint8Array.from(whole, (byte, i) => (i > 700 && i < 720 ? 0x55 : byte));
    const results = await Promise.all(
      [withSharp(sharp), wasmCodecs()].map((codecs) =>
        decodeImage(damaged, "damaged.jpg", codecs).then(
          ({ width, height }) => `${width} x ${height}`,
          (error: unknown) => (error as Error).message,
        ),
      ),
    );
    assert.equal(results[0], results[1]);
  });

  it("is not used for a format whose probe differs from Pillow by one sample", async () => {
    const formats = await exactFormats(async (format, bytes) => {
      const image = await sharp.decode(format, bytes);
      if (format === "jpeg") image.data[100]! ^= 1;
      return image;
    });
    assert.deepEqual([...formats], ["webp"]);
    const codecs = withSharp({ ...sharp, exact: formats, decode: () => Promise.reject(new Error("called")) });
    const bytes = await readFile(fixture("images/jpeg-420.jpg"));
    assert.deepEqual(await codecs.jpeg(bytes), await wasmCodecs().jpeg(bytes));
  });
});
