/**
 * PNG, in the modes that Pillow gives each colour type and depth.
 *
 * jimp's pngjs converts everything to 8-bit RGBA. The reference resizes palette indices, resizes 16-bit gray in 16 bits,
 * and takes the high byte of other 16-bit samples, which pngjs rescales.
 *
 * Source: W3C, PNG Specification (2003); Pillow, src/PIL/PngImagePlugin.py (modes), src/libImaging/ZipDecode.c
 */
import { crc32 } from "../../tensor/crc32.ts";
import { newSamples, type DecodedImage, type PixelMode } from "../image.ts";
import type { Samples } from "../samples.ts";
import { assertEnough, assertUnpacked } from "../limits.ts";
import { concatenate, ImageFormatError, paletteOf, truncated, unpackBits, type ImageBytes } from "./bytes.ts";
import type { Inflate, ReadHeader } from "./format.ts";

const grayType = 0;
const rgbType = 2;
const indexedType = 3;
const grayAlphaType = 4;
const rgbAlphaType = 6;

const channelsOf: Readonly<Record<number, number>> = {
  [grayType]: 1,
  [rgbType]: 3,
  [indexedType]: 1,
  [grayAlphaType]: 2,
  [rgbAlphaType]: 4,
};

const depthsOf: Readonly<Record<number, readonly number[]>> = {
  [grayType]: [1, 2, 4, 8, 16],
  [rgbType]: [8, 16],
  [indexedType]: [1, 2, 4, 8],
  [grayAlphaType]: [8, 16],
  [rgbAlphaType]: [8, 16],
};

/** Adam7: [first column, first row, column step, row step] of each pass. */
const adam7Passes: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

function modeOf(colourType: number, depth: number): PixelMode {
  switch (colourType) {
    case grayType:
      return depth === 1 ? "1" : depth === 16 ? "I;16" : "L";
    case rgbType:
      return "RGB";
    case indexedType:
      return "P";
    case grayAlphaType:
      // Pillow has no 16-bit gray with alpha.
      return depth === 16 ? "RGBA" : "LA";
    default:
      return "RGBA";
  }
}

export const readPngHeader: ReadHeader = (file) => {
  if (file.ascii(12, 4) !== "IHDR") throw new ImageFormatError("no IHDR chunk at the start");
  return { width: file.u32(16, false), height: file.u32(20, false) };
};

interface Chunks {
  readonly palette: Uint8Array;
  /** The zlib stream of all IDAT chunks. */
  readonly data: Uint8Array;
  /** The TIFF structure of the eXIf chunk. */
  readonly exif: Uint8Array | undefined;
}

function readChunks(file: ImageBytes): Chunks {
  let palette = new Uint8Array(0);
  let exif: Uint8Array | undefined;
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 8 <= file.length;) {
    const length = file.u32(at, false);
    const type = file.ascii(at + 4, 4);
    if (type === "IDAT") {
      // A truncated last chunk may still contain all rows.
      parts.push(file.bytes.subarray(at + 8, at + 8 + length));
    } else if (parts.length > 0) {
      break;
    } else {
      const crc = crc32(file.slice(at + 4, length + 4));
      if (crc !== file.u32(at + 8 + length, false)) {
        throw new ImageFormatError(`a damaged ${JSON.stringify(type)} chunk, whose checksum differs`);
      }
      if (type === "IEND") break;
      if (type === "PLTE") palette = file.slice(at + 8, length).slice();
      if (type === "eXIf") exif = file.slice(at + 8, length);
    }
    at += length + 12;
  }
  if (parts.length === 0)
    throw file.length < 57 ? truncated(file.length) : new ImageFormatError("no image data");
  return { palette, exif, data: concatenate(parts) };
}

/** The contents of the eXIf chunk, if it precedes the image data. */
export function readPngExif(file: ImageBytes): Uint8Array | undefined {
  return readChunks(file).exif;
}

/** Reverses the row filters in place. Each row of `data` is a filter type, then `rowBytes` bytes. */
function unfilter(data: Uint8Array, start: number, rowBytes: number, rows: number, pixelBytes: number): void {
  const zeros = new Uint8Array(rowBytes);
  for (let y = 0; y < rows; y++) {
    const row = start + y * (rowBytes + 1) + 1;
    const above = y === 0 ? zeros : data;
    const up = y === 0 ? 0 : row - rowBytes - 1;
    const filter = data[row - 1]!;
    // Pixels left of the first count as zero.
    const head = Math.min(pixelBytes, rowBytes);
    switch (filter) {
      case 0:
        break;
      case 1:
        for (let i = head; i < rowBytes; i++) data[row + i]! += data[row + i - pixelBytes]!;
        break;
      case 2:
        for (let i = 0; i < rowBytes; i++) data[row + i]! += above[up + i]!;
        break;
      case 3:
        for (let i = 0; i < head; i++) data[row + i]! += above[up + i]! >> 1;
        for (let i = head; i < rowBytes; i++) {
          data[row + i]! += (data[row + i - pixelBytes]! + above[up + i]!) >> 1;
        }
        break;
      case 4:
        for (let i = 0; i < head; i++) data[row + i]! += above[up + i]!;
        for (let i = head; i < rowBytes; i++) {
          data[row + i]! += paeth(data[row + i - pixelBytes]!, above[up + i]!, above[up + i - pixelBytes]!);
        }
        break;
      default:
        throw new ImageFormatError(`a damaged row with filter type ${filter}`);
    }
  }
}

function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/**
 * @param file a whole PNG file; of an animation, the default image is decoded, as in Pillow
 * @throws ImageFormatError
 */
export async function decodePng(file: ImageBytes, inflate: Inflate): Promise<DecodedImage> {
  const { width, height } = readPngHeader(file);
  const depth = file.u8(24);
  const colourType = file.u8(25);
  const interlaced = file.u8(28) !== 0;
  const channels = channelsOf[colourType];
  if (channels === undefined || !depthsOf[colourType]?.includes(depth)) {
    throw new ImageFormatError(`colour type ${colourType} with ${depth} bits, which PNG does not support`);
  }
  const mode = modeOf(colourType, depth);
  const { palette, data: packed } = readChunks(file);

  const passes = interlaced ? adam7Passes : ([[0, 0, 1, 1]] as const);
  const pixelBits = channels * depth;
  const sized = passes
    .map(([left, top, stepX, stepY]) => {
      const columns = Math.ceil((width - left) / stepX);
      const rows = Math.ceil((height - top) / stepY);
      return { left, top, stepX, stepY, columns, rows, rowBytes: Math.ceil((columns * pixelBits) / 8) };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
  const size = sized.reduce((sum, { rows, rowBytes }) => sum + rows * (rowBytes + 1), 0);
  assertUnpacked(size);
  assertEnough(file, packed.length, size, "deflate");
  const rows = await inflate(packed, size);
  if (rows.length < size) throw truncated(file.length);

  const stride = mode === "RGBA" ? 4 : channels;
  const samples = newSamples(mode, width * height * stride);
  let start = 0;
  for (const pass of sized) {
    unfilter(rows, start, pass.rowBytes, pass.rows, Math.max(pixelBits >> 3, 1));
    for (let y = 0; y < pass.rows; y++) {
      const from = start + y * (pass.rowBytes + 1) + 1;
      const to = ((pass.top + y * pass.stepY) * width + pass.left) * stride;
      spreadRow(rows, from, pass.columns, { colourType, depth, channels }, samples, to, pass.stepX * stride);
    }
    start += pass.rows * (pass.rowBytes + 1);
  }
  const image = { width, height, mode, data: samples, stride };
  return mode === "P" ? { ...image, palette: paletteOf(palette) } : image;
}

interface Layout {
  readonly colourType: number;
  readonly depth: number;
  readonly channels: number;
}

/** Unpacks one row into samples of the mode, with `step` items from one pixel to the next. */
function spreadRow(
  source: Uint8Array,
  from: number,
  columns: number,
  { colourType, depth, channels }: Layout,
  target: Samples,
  to: number,
  step: number,
): void {
  if (depth < 8) {
    const factor = colourType === indexedType ? 1 : 255 / ((1 << depth) - 1);
    unpackBits(source, from, depth, columns, factor, target, to, step);
  } else if (depth === 8 && step === channels) {
    target.set(source.subarray(from, from + columns * channels), to);
  } else if (colourType === grayType && depth === 16) {
    for (let x = 0; x < columns; x++, from += 2)
      target[to + x * step] = (source[from]! << 8) | source[from + 1]!;
  } else if (colourType === grayAlphaType && depth === 16) {
    for (let x = 0; x < columns; x++, from += 4) {
      target.fill(source[from]!, to + x * step, to + x * step + 3);
      target[to + x * step + 3] = source[from + 2]!;
    }
  } else {
    const sampleBytes = depth >> 3;
    for (let x = 0; x < columns; x++) {
      for (let channel = 0; channel < channels; channel++, from += sampleBytes) {
        target[to + x * step + channel] = source[from]!;
      }
    }
  }
}
