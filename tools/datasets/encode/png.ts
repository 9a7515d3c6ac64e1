/**
 * A PNG encoder for the pixel formats that datasets contain. Its data is not compressed: zlib's output differs between
 * versions of Node, and generated datasets have to be the same everywhere.
 */
import { crc32 } from "../../../lib/tensor/crc32.ts";
import type { Raster } from "../../demo-model/generator.ts";

/** Pixel formats: 8 bits per channel, except "gray16" and "palette" (at most 216 colours). */
export type PngFormat = "rgb" | "rgba" | "gray" | "gray-alpha" | "gray16" | "palette";

type Pixel = readonly [red: number, green: number, blue: number];

interface Layout {
  readonly bitDepth: number;
  /** PNG's code for the kind of pixels. */
  readonly colourType: number;
  /** The bytes of a pixel. @param across from 0 at the left to 1 at the right */
  pixel(pixel: Pixel, across: number): readonly number[];
}

const layouts: Readonly<Record<PngFormat, Layout>> = {
  rgb: { bitDepth: 8, colourType: 2, pixel: (pixel) => pixel },
  rgba: { bitDepth: 8, colourType: 6, pixel: (pixel, across) => [...pixel, alphaAt(across)] },
  gray: { bitDepth: 8, colourType: 0, pixel: (pixel) => [luma(pixel)] },
  "gray-alpha": { bitDepth: 8, colourType: 4, pixel: (pixel, across) => [luma(pixel), alphaAt(across)] },
  gray16: { bitDepth: 16, colourType: 0, pixel: (pixel) => [luma(pixel), pixel[0]] },
  palette: { bitDepth: 8, colourType: 3, pixel: (pixel) => [paletteIndex(pixel)] },
};

/** Encodes an image. Formats with alpha fade towards the right, which a conversion to RGB ignores. */
export function encodePng({ width, height, data }: Raster, format: PngFormat = "rgb"): Uint8Array {
  const layout = layouts[format];
  const rows: number[] = [];
  for (let y = 0; y < height; y++) {
    rows.push(0); // the row's filter: none
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      rows.push(...layout.pixel([data[at]!, data[at + 1]!, data[at + 2]!], x / width));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = layout.bitDepth;
  header[9] = layout.colourType;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...(format === "palette" ? [chunk("PLTE", Buffer.from(palette.flat()))] : []),
    chunk("IDAT", storedZlib(Buffer.from(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Levels of a channel in the palette. */
const levels = 6;
const step = 255 / (levels - 1);

const palette: readonly Pixel[] = Array.from({ length: levels ** 3 }, (_, i) => [
  step * Math.floor(i / levels ** 2),
  step * (Math.floor(i / levels) % levels),
  step * (i % levels),
]);

function paletteIndex(pixel: Pixel): number {
  return pixel.reduce((index, value) => index * levels + Math.round(value / step), 0);
}

function luma([red, green, blue]: Pixel): number {
  return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
}

function alphaAt(across: number): number {
  return 255 - Math.floor(200 * across);
}

function chunk(type: string, content: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(checked) >>> 0);
  return Buffer.concat([length, checked, sum]);
}

/** A zlib stream of stored blocks. */
function storedZlib(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x78, 0x01])];
  const most = 0xffff;
  for (let from = 0; from < bytes.length; from += most) {
    const block = bytes.subarray(from, from + most);
    const head = Buffer.alloc(5);
    head[0] = from + most >= bytes.length ? 1 : 0;
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(~block.length & 0xffff, 3);
    parts.push(head, block);
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(adler32(bytes));
  return Buffer.concat([...parts, sum]);
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}
