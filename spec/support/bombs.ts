/** Small image files that claim, or unpack to, far more than they hold. */
import { deflateSync } from "node:zlib";
import { crc32 } from "../../lib/tensor/crc32.ts";

/** Within the limit of pixels: 169 million. */
const side = 13_000;

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

function u16(value: number): number[] {
  return [value & 255, value >> 8];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

function text(content: string): Uint8Array {
  return Buffer.from(content, "latin1");
}

function reversed(bytes: readonly number[]): number[] {
  return bytes.toReversed();
}

export function png(
  width: number,
  height: number,
  data: Uint8Array,
  { depth = 8, extra = [] as readonly (readonly [type: string, content: Uint8Array])[] } = {},
): Uint8Array {
  const chunk = (type: string, content: Uint8Array): Uint8Array => {
    const body = join(text(type), content);
    return join(reversed(u32(content.length)), body, reversed(u32(crc32(body))));
  };
  const header = join(reversed(u32(width)), reversed(u32(height)), [depth, 6, 0, 0, 0]);
  return join(
    text("\x89PNG\r\n\x1a\n"),
    chunk("IHDR", header),
    ...extra.map(([type, content]) => chunk(type, content)),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array(0)),
  );
}

/** A zlib stream of zeros. */
export function zeros(size: number): Uint8Array {
  return deflateSync(Buffer.alloc(size), { level: 9 });
}

type Entry = readonly [tag: number, type: 3 | 4, ...values: number[]];

/** A little-endian TIFF: the data, then its directory. Values of more than four bytes are not supported. */
function tiff(entries: readonly Entry[], data: Uint8Array): Uint8Array {
  const fields = entries.map(([tag, type, value]) => [...u16(tag), ...u16(type), ...u32(1), ...u32(value!)]);
  const padded = data.length + (data.length % 2);
  return join(
    text("II*\0"),
    u32(8 + padded),
    data,
    new Uint8Array(padded - data.length),
    u16(entries.length),
    ...fields,
    u32(0),
  );
}

function gray(width: number, height: number, compression: number, packed: Uint8Array): Uint8Array {
  return tiff(
    [
      [256, 4, width],
      [257, 4, height],
      [258, 3, 8],
      [259, 3, compression],
      [262, 3, 1],
      [273, 4, 8],
      [277, 3, 1],
      [278, 4, height],
      [279, 4, packed.length],
    ],
    packed,
  );
}

function tiled(width: number, height: number, tile: number, packed: Uint8Array): Uint8Array {
  return tiff(
    [
      [256, 4, width],
      [257, 4, height],
      [258, 3, 8],
      [259, 3, 8],
      [262, 3, 1],
      [277, 3, 1],
      [322, 4, tile],
      [323, 4, tile],
      [324, 4, 8],
      [325, 4, packed.length],
    ],
    packed,
  );
}

function gif(screen: number, frame: number, data: readonly number[], frames = 1): Uint8Array {
  const image = join([0x2c, 0, 0, 0, 0, ...u16(frame), ...u16(frame), 0], data);
  return join(
    text("GIF89a"),
    u16(screen),
    u16(screen),
    [0x80, 0, 0, 0, 0, 0, 255, 255, 255],
    Buffer.concat(Array.from({ length: frames }, () => image)),
    [0x3b],
  );
}

function bmp(compression: number, data: Uint8Array, width = side, height = side): Uint8Array {
  const header = [...u32(40), ...u32(width), ...u32(height), ...u16(1), ...u16(8), ...u32(compression)];
  return join(
    text("BM"),
    [...u32(0), ...u32(0), ...u32(54 + 1024)],
    header,
    [...u32(0), ...u32(0), ...u32(0), ...u32(256), ...u32(0)],
    Uint8Array.from({ length: 1024 }, (_, i) => (i * 7) % 256),
    data,
  );
}

function riff(...chunks: readonly (readonly [type: string, content: Uint8Array])[]): Uint8Array {
  const body = join(
    text("WEBP"),
    ...chunks.map(([type, content]) =>
      join(text(type), u32(content.length), content, new Uint8Array(content.length % 2)),
    ),
  );
  return join(text("RIFF"), u32(body.length), body);
}

/** A VP8L image of one colour: every code has one symbol, so its pixels take no bits. */
export function vp8l(width: number, height: number): Uint8Array {
  let bits = "";
  const put = (value: number, count: number): void => {
    for (let i = 0; i < count; i++) bits += `${(value >> i) & 1}`;
  };
  put(width - 1, 14);
  put(height - 1, 14);
  put(0, 4); // no alpha, version 0
  put(0, 1); // no transform
  put(0, 1); // no colour cache
  put(0, 1); // no meta codes
  // Five simple codes of one symbol of one bit.
  for (let code = 0; code < 5; code++) put(1, 4);
  const bytes = bits.padEnd(bits.length + 64, "0").match(/.{8}/g)!;
  return join(
    [0x2f],
    bytes.map((byte) => parseInt(Array.from(byte).reverse().join(""), 2)),
  );
}

function canvas(width: number, height: number, flags: number): Uint8Array {
  const u24 = (value: number): number[] => u32(value).slice(0, 3);
  return join([flags, 0, 0, 0], u24(width - 1), u24(height - 1));
}

function frameOf(width: number, height: number, image: Uint8Array): Uint8Array {
  const u24 = (value: number): number[] => u32(value).slice(0, 3);
  const chunk = join(text("VP8L"), u32(image.length), image, new Uint8Array(image.length % 2));
  return join(u24(0), u24(0), u24(width - 1), u24(height - 1), u24(0), [0], chunk);
}

/** A JPEG whose size is changed, and whose scan is repeated. */
export function jpeg(original: Uint8Array, size: number | null, scans = 1): Uint8Array {
  const bytes = Uint8Array.from(original);
  const frame = bytes.findIndex(
    (byte, i) => byte === 0xff && (bytes[i + 1] === 0xc0 || bytes[i + 1] === 0xc2),
  );
  if (size !== null) bytes.set([...reversed(u16(size)), ...reversed(u16(size))], frame + 5);
  const last = Buffer.from(bytes).lastIndexOf(Uint8Array.of(0xff, 0xda));
  const scan = bytes.subarray(last, -2);
  const repeated = Buffer.concat(Array.from({ length: scans }, () => scan));
  return join(bytes.subarray(0, last), repeated, [0xff, 0xd9]);
}

/** Bombs by format, each with the error that it gives; null for an image that is decoded. */
export function bombs(
  fixture: (name: string) => Uint8Array,
): Record<string, [title: string, file: () => Uint8Array, error: RegExp | null][]> {
  const small = (): Uint8Array => zeros(100 * 401);
  const large = once(() => zeros(2 ** 28));
  const named = (): Uint8Array => join(text("name\0\0"), large());
  const truncated = /truncated/;
  return {
    PNG: [
      ["a large header", () => png(60_000, 60_000, small()), /at most 178956970 pixels, found 60000 x 60000/],
      ["few data", () => png(side, side, small()), truncated],
      [
        "samples of 16 bits",
        () => png(side, side, large(), { depth: 16 }),
        /at most 1073741824 bytes, found 1352013000/,
      ],
      ["data that unpack to 256 MB, in an image of 10 x 10", () => png(10, 10, large()), /damaged|expected/],
      [
        "a colour profile and texts of 256 MB",
        () =>
          png(100, 100, small(), {
            extra: [
              ["iCCP", named()],
              ["zTXt", named()],
            ],
          }),
        null,
      ],
    ],
    GIF: [
      ["a large screen", () => gif(65_535, 1, [1, 2, 4, 0, 0]), /at most 178956970 pixels/],
      ["a large frame with few data", () => gif(10, side, [2, 4, 0x84, 0x84, 0x84, 0x05, 0]), truncated],
      ["200,000 frames", () => gif(1, 1, [2, 2, 0x44, 0x01, 0], 200_000), null],
    ],
    TIFF: [
      ["LZW strips with few data", () => gray(side, side, 5, new Uint8Array(9)), truncated],
      ["PackBits strips with few data", () => gray(side, side, 32773, Uint8Array.of(0x81, 0)), truncated],
      ["Deflate strips with few data", () => gray(side, side, 8, small()), truncated],
      ["Deflate data of 256 MB, in an image of 10 x 10", () => gray(10, 10, 8, large()), /expected/],
      ["a large tile", () => tiled(10, 10, 1_000_000, small()), truncated],
      ["a wide tile", () => tiled(10, 10_000, 1_000_000, small()), /at most 1073741824 bytes/],
      [
        "a JPEG strip of 13,000 x 13,000",
        () => gray(16, 16, 7, jpeg(fixture("jpeg-gray.jpg"), side)),
        /too large|truncated/,
      ],
    ],
    BMP: [
      ["no rows", () => bmp(0, new Uint8Array(100)), truncated],
      ["an early end of runs", () => bmp(1, Uint8Array.of(0, 1)), truncated],
      ["a skip to the end, without a pixel", () => bmp(1, Uint8Array.of(0, 2, 255, 255, 0, 1)), truncated],
    ],
    WebP: [
      [
        "a large canvas",
        () => riff(["VP8X", canvas(2 ** 24, 2 ** 24, 0)], ["VP8L", vp8l(1, 1)]),
        /at most 178956970 pixels/,
      ],
      ["a large image", () => riff(["VP8L", vp8l(16_383, 16_383)]), /at most 178956970 pixels/],
      [
        "an image larger than its canvas",
        () => riff(["VP8X", canvas(10, 10, 0)], ["VP8L", vp8l(16_383, 16_383)]),
        /WebP/,
      ],
      [
        "a frame larger than its canvas",
        () =>
          riff(
            ["VP8X", canvas(10, 10, 2)],
            ["ANIM", new Uint8Array(6)],
            ["ANMF", frameOf(16_383, 16_383, vp8l(16_383, 16_383))],
          ),
        /beyond its canvas/,
      ],
      [
        "a frame larger than it says",
        () =>
          riff(
            ["VP8X", canvas(10, 10, 2)],
            ["ANIM", new Uint8Array(6)],
            ["ANMF", frameOf(10, 10, vp8l(16_383, 16_383))],
          ),
        /WebP/,
      ],
    ],
    JPEG: [
      ["a large header", () => jpeg(fixture("jpeg-444.jpg"), 65_500), /at most 178956970 pixels/],
      ["few data", () => jpeg(fixture("jpeg-444.jpg"), side), truncated],
      ["few data of four inks", () => jpeg(fixture("jpeg-cmyk.jpg"), side), truncated],
      ["100,000 scans", () => jpeg(fixture("jpeg-420-progressive.jpg"), null, 100_000), /at most 500 scans/],
    ],
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}
