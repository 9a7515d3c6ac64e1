/**
 * BMP. A palette counts as gray, and a mask as alpha, in the same cases as in Pillow.
 *
 * Source: Pillow, src/PIL/BmpImagePlugin.py; Microsoft, Bitmap Storage
 */
import type { DecodedImage } from "../image.ts";
import { ImageFormatError, paletteOf, truncated, unpackBits, UnsupportedImageError } from "./bytes.ts";
import type { ImageBytes } from "./bytes.ts";
import type { ReadHeader } from "./format.ts";

const raw = 0;
const rle8 = 1;
const rle4 = 2;
const bitFields = 3;

/** BITMAPCOREHEADER has 16-bit sizes and 3 bytes per colour. All others start like BITMAPINFOHEADER. */
const coreHeaderBytes = 12;
const headerBytes = [coreHeaderBytes, 40, 52, 56, 64, 108, 124];

interface Header {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  readonly colours: number;
  readonly colourBytes: number;
  /** The position after the header and its masks. */
  readonly end: number;
  /** Byte positions of R, G, B (and alpha) in a 32-bit pixel, or the 16-bit layout. */
  readonly channels: Channels;
  readonly dataAt: number;
}

type Channels = readonly [red: number, green: number, blue: number, alpha?: number] | "555" | "565";

/** The byte positions of the 32-bit masks (red, green, blue, alpha) that Pillow supports. */
const masks32: Readonly<Record<string, Channels>> = {
  "ff0000,ff00,ff,0": [2, 1, 0],
  "ff000000,ff0000,ff00,0": [3, 2, 1],
  "ff000000,ff00,ff,0": [3, 1, 0],
  "ff000000,ff0000,ff00,ff": [3, 2, 1, 0],
  "ff,ff00,ff0000,ff000000": [0, 1, 2, 3],
  "ff0000,ff00,ff,ff000000": [2, 1, 0, 3],
  "ff000000,ff00,ff,ff0000": [3, 1, 0, 2],
  "0,0,0,0": [2, 1, 0, 3],
};

function readHeader(file: ImageBytes): Header {
  const offset = file.u32(10, true);
  const size = file.u32(14, true);
  if (!headerBytes.includes(size))
    throw new ImageFormatError(`a header of ${size} bytes, which is not a BMP header`);
  file.slice(14, size);
  if (size === coreHeaderBytes) {
    const bits = file.u16(24, true);
    const colours = 1 << bits;
    const end = 14 + size;
    return {
      width: file.u16(18, true),
      height: file.u16(20, true),
      topDown: false,
      bits,
      compression: raw,
      colours,
      colourBytes: 3,
      end,
      channels: plainChannels(bits),
      dataAt: dataStart(offset, end, bits, 3 * colours),
    };
  }
  const topDown = file.u8(25) === 0xff;
  const height = file.u32(22, true);
  const bits = file.u16(28, true);
  const compression = file.u32(30, true);
  const colours = file.u32(46, true) || 2 ** bits;
  let end = 14 + size;
  let channels = plainChannels(bits);
  if (compression === bitFields) {
    // Headers of 40 bytes are followed by three masks; longer headers contain them.
    const masks = [54, 58, 62].map((at) => file.u32(at, true));
    masks.push(size >= 56 ? file.u32(66, true) : 0);
    if (size < 52) end += 12;
    channels = maskedChannels(bits, masks);
  } else if (compression > bitFields) {
    throw new UnsupportedImageError(`compression ${compression} (supported: none, RLE and bit fields)`);
  }
  return {
    width: file.u32(18, true),
    height: topDown ? 2 ** 32 - height : height,
    topDown,
    bits,
    compression,
    colours,
    colourBytes: 4,
    end,
    channels,
    dataAt: dataStart(offset, 14 + size, bits, 4 * colours) || end + (bits <= 8 ? 4 * colours : 0),
  };
}

/** The position of the pixels. Some writers do not count the palette. */
function dataStart(offset: number, headerEnd: number, bits: number, paletteBytes: number): number {
  return offset === headerEnd && bits <= 8 ? offset + paletteBytes : offset;
}

function plainChannels(bits: number): Channels {
  return bits === 16 ? "555" : [2, 1, 0];
}

function maskedChannels(bits: number, masks: readonly number[]): Channels {
  const key = masks.map((mask) => mask.toString(16)).join(",");
  const known = bits === 32 ? masks32[key] : undefined;
  if (known !== undefined) return known;
  const colours = masks
    .slice(0, 3)
    .map((mask) => mask.toString(16))
    .join(",");
  if (bits === 24 && colours === "ff0000,ff00,ff") return [2, 1, 0];
  if (bits === 16 && colours === "f800,7e0,1f") return "565";
  if (bits === 16 && colours === "7c00,3e0,1f") return "555";
  throw new UnsupportedImageError(`the bit masks ${key} with ${bits} bits`);
}

export const readBmpHeader: ReadHeader = (file) => readHeader(file);

/**
 * @param file a whole BMP file
 * @throws ImageFormatError
 */
export function decodeBmp(file: ImageBytes): DecodedImage {
  const header = readHeader(file);
  const { width, height, bits } = header;
  if (![1, 4, 8, 16, 24, 32].includes(bits)) {
    throw new ImageFormatError(`${bits} bits per pixel, which BMP does not support`);
  }
  const rle = header.compression === rle8 || header.compression === rle4;
  if (bits > 8) {
    if (rle) throw new ImageFormatError(`run-length compression with ${bits} bits per pixel`);
    return readColours(file, header);
  }

  if (header.colours > 65536) throw new ImageFormatError(`a palette of ${header.colours} colours`);
  const stored = file.slice(header.end, header.colourBytes * header.colours);
  const levels = header.colours === 2 ? [0, 255] : [...Array(header.colours).keys()];
  const gray = levels.every((level, i) => {
    const at = i * header.colourBytes;
    return stored[at] === level && stored[at + 1] === level && stored[at + 2] === level;
  });
  const mode = !gray ? "P" : header.colours === 2 ? "1" : "L";
  // Pillow reads a gray palette with the raw layout of the mode, regardless of the depth.
  const sampleBits = mode === "P" ? bits : mode === "1" ? 1 : 8;
  const data = rle ? readRuns(file, header) : readIndices(file, header, sampleBits, mode === "1" ? 255 : 1);
  if (mode !== "P") return { width, height, mode, data, stride: 1 };
  const palette = new Uint8Array(Math.min(header.colours, 256) * 3);
  for (let i = 0; i < palette.length; i++) {
    palette[i] = stored[Math.floor(i / 3) * header.colourBytes + 2 - (i % 3)]!;
  }
  return { width, height, mode, data, stride: 1, palette: paletteOf(palette) };
}

/** The bytes from one row to the next. */
function storedRowBytes({ width, bits }: Header): number {
  return Math.floor((width * bits + 31) / 32) * 4;
}

/** @throws ImageFormatError if the file has fewer rows than its header says */
function assertRows(file: ImageBytes, header: Header, rowBytes: number): void {
  const stored = storedRowBytes(header);
  if (stored < rowBytes) throw new ImageFormatError(`${header.bits} bits per pixel with a gray palette`);
  const last = header.dataAt + (header.height - 1) * stored + rowBytes;
  if (last > file.length) throw truncated(file.length);
}

/** Calls `visit` with the position of each row's bytes, from the top row down. */
function eachRow(header: Header, visit: (at: number, y: number) => void): void {
  const stored = storedRowBytes(header);
  for (let y = 0; y < header.height; y++) {
    visit(header.dataAt + (header.topDown ? y : header.height - 1 - y) * stored, y);
  }
}

function readIndices(file: ImageBytes, header: Header, sampleBits: number, factor: number): Uint8Array {
  const { width, height } = header;
  const rowBytes = Math.ceil((width * sampleBits) / 8);
  assertRows(file, header, rowBytes);
  const data = new Uint8Array(width * height);
  eachRow(header, (at, y) => {
    if (sampleBits === 8) data.set(file.bytes.subarray(at, at + width), y * width);
    else unpackBits(file.bytes, at, sampleBits, width, factor, data, y * width);
  });
  return data;
}

function readColours(file: ImageBytes, header: Header): DecodedImage {
  const { width, height, bits, channels } = header;
  const pixelBytes = bits >> 3;
  const alpha = typeof channels === "string" ? undefined : channels[3];
  const stride = alpha === undefined ? 3 : 4;
  assertRows(file, header, width * pixelBytes);
  const data = new Uint8Array(width * height * stride);
  const { bytes } = file;
  eachRow(header, (row, y) => {
    let to = y * width * stride;
    for (let at = row; at < row + width * pixelBytes; at += pixelBytes, to += stride) {
      if (typeof channels === "string") {
        const pixel = bytes[at]! | (bytes[at + 1]! << 8);
        const greenBits = channels === "565" ? 6 : 5;
        const greens = (1 << greenBits) - 1;
        // Truncated, like the integer division in Pillow's Unpack.c.
        data[to] = Math.trunc((((pixel >> (5 + greenBits)) & 31) * 255) / 31);
        data[to + 1] = Math.trunc((((pixel >> 5) & greens) * 255) / greens);
        data[to + 2] = Math.trunc(((pixel & 31) * 255) / 31);
        continue;
      }
      data[to] = bytes[at + channels[0]]!;
      data[to + 1] = bytes[at + channels[1]]!;
      data[to + 2] = bytes[at + channels[2]]!;
      if (alpha !== undefined) data[to + 3] = bytes[at + alpha]!;
    }
  });
  return { width, height, mode: alpha === undefined ? "RGB" : "RGBA", data, stride };
}

/** Decodes runs of 4- or 8-bit indices. Skipped pixels have index 0. */
function readRuns(file: ImageBytes, header: Header): Uint8Array {
  const { width, height } = header;
  const four = header.compression === rle4;
  const indices = new Uint8Array(width * height);
  let at = header.dataAt;
  let to = 0;
  let x = 0;
  const put = (value: number) => {
    if (to < indices.length) indices[to] = value;
    to += 1;
  };
  while (to < indices.length && at + 1 < file.length) {
    const count = file.u8(at);
    const value = file.u8(at + 1);
    at += 2;
    if (count > 0) {
      const fitting = Math.max(Math.min(count, width - x), 0);
      for (let i = 0; i < fitting; i++) put(!four ? value : i % 2 === 0 ? value >> 4 : value & 15);
      x += fitting;
    } else if (value === 0) {
      to = Math.ceil(to / width) * width;
      x = 0;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      to += file.u8(at) + file.u8(at + 1) * width;
      at += 2;
      x = to % width;
    } else {
      const bytes = four ? value >> 1 : value;
      for (const byte of file.slice(at, bytes)) {
        if (four) {
          put(byte >> 4);
          put(byte & 15);
        } else {
          put(byte);
        }
      }
      at += bytes;
      x += value;
      at += at % 2;
    }
  }
  if (to < indices.length) throw truncated(file.length);
  if (header.topDown) return indices;
  const flipped = new Uint8Array(indices.length);
  for (let y = 0; y < height; y++) {
    flipped.set(indices.subarray(y * width, (y + 1) * width), (height - 1 - y) * width);
  }
  return flipped;
}
