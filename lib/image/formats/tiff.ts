/**
 * TIFF: the first page, in the modes that Pillow gives each layout.
 *
 * jimp's utif2 converts everything to 8-bit RGBA, prints to the console and does not check the file's offsets.
 *
 * Pillow decodes some files wrongly: separate planes of gray with alpha, and uncompressed separate planes of 16 bits or
 * of reversed bits. This decoder gives the pixels that the file describes.
 *
 * Source: Adobe, TIFF 6.0; Pillow, src/PIL/TiffImagePlugin.py (OPEN_INFO: layouts and modes; orientation is applied)
 */
import { unpremultiply } from "../alpha.ts";
import { bandsOf, newSamples, type DecodedImage, type PixelMode, type Size } from "../image.ts";
import type { Samples } from "../samples.ts";
import { assertEnough, assertUnpacked } from "../limits.ts";
import {
  concatenate,
  ImageBytes,
  ImageFormatError,
  paletteOf,
  truncated,
  unpackBits,
  UnsupportedImageError,
} from "./bytes.ts";
import type { ImageCodecs, ReadHeader } from "./format.ts";
import { assertJpegScans, readJpegHeader } from "./jpeg/jpeg.ts";
import { orient } from "./orientation.ts";
import { decodeLzw } from "./lzw.ts";
import { readDirectory } from "./tags.ts";
import type { Directory, TagValues } from "./tags.ts";

const tags = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  extraSamples: 338,
  sampleFormat: 339,
  jpegTables: 347,
} as const;

const compressions = { none: 1, lzw: 5, jpeg: 7, deflate: 8, oldDeflate: 32946, packBits: 32773 } as const;
const supportedCompressions: readonly number[] = Object.values(compressions);

/** Compressions that are not supported, for messages. */
const compressionNames: Readonly<Record<number, string>> = {
  2: "CCITT Huffman (fax)",
  3: "CCITT Group 3 (fax)",
  4: "CCITT Group 4 (fax)",
  6: "old JPEG",
  32809: "ThunderScan",
  34661: "JBIG",
  34712: "JPEG 2000",
  34887: "LERC",
  34925: "LZMA",
  50000: "Zstandard",
  50001: "WebP",
  50002: "JPEG XL",
};

const photometrics = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, cmyk: 5, ycbcr: 6 } as const;

/** Samples of a pixel. */
const mostSamples = 6;

const unsignedFormat = 1;
const signedFormat = 2;
const floatFormat = 3;

/** The layout of the pixels in the file. */
interface Layout extends Size {
  readonly littleEndian: boolean;
  readonly mode: PixelMode;
  readonly bits: number;
  readonly sampleFormat: number;
  /** Samples of a pixel in the file. The mode's bands come first. */
  readonly samples: number;
  readonly compression: number;
  readonly photometric: number;
  readonly predictor: number;
  readonly planar: boolean;
  readonly reversedBits: boolean;
  /** The colours are already multiplied by alpha. */
  readonly premultiplied: boolean;
  readonly tile: Size;
  /** Of each strip or tile. */
  readonly offsets: TagValues;
  /** Of each strip or tile; undefined if they reach to the end of the file. */
  readonly byteCounts: TagValues | undefined;
}

export const readTiffHeader: ReadHeader = (file) => {
  const directory = readDirectory(file);
  return { width: directory.number(tags.width), height: directory.number(tags.height) };
};

function modeOf(
  photometric: number,
  format: number,
  bits: number,
  extra: readonly number[],
  samples: number,
  littleEndian: boolean,
): PixelMode | undefined {
  const [alphaKind] = extra;
  const hasAlpha = alphaKind === 1 || alphaKind === 2;
  switch (photometric) {
    case photometrics.whiteIsZero:
    case photometrics.blackIsZero:
      if (samples === 2 && bits === 8 && alphaKind === 2 && photometric === photometrics.blackIsZero)
        return "LA";
      if (samples !== 1) return undefined;
      if (format === floatFormat) return bits === 32 ? "F" : undefined;
      if (bits === 32 && photometric === photometrics.blackIsZero)
        return format === signedFormat || littleEndian ? "I" : undefined;
      if (bits === 16 && format === signedFormat)
        return photometric === photometrics.blackIsZero ? "I" : undefined;
      if (bits === 16 && format === unsignedFormat) {
        if (littleEndian) return "I;16";
        return photometric === photometrics.blackIsZero ? "I;16B" : undefined;
      }
      if (bits === 8) return "L";
      if (format !== unsignedFormat) return undefined;
      return bits === 1 ? "1" : bits === 2 || bits === 4 ? "L" : undefined;
    case photometrics.palette:
      if (samples === 1 && bits <= 8) return "P";
      // Pillow resizes a palette with alpha to black.
      return samples === 2 && bits === 8 && !hasAlpha ? "P" : undefined;
    case photometrics.rgb:
      if (bits !== 8 && bits !== 16) return undefined;
      if (samples === 3) return "RGB";
      if (samples === 4 && extra.length === 0) return "RGBA";
      return samples >= 4 ? (hasAlpha ? "RGBA" : "RGB") : undefined;
    case photometrics.cmyk:
      return samples >= 4 && (bits === 8 || bits === 16) ? "CMYK" : undefined;
    case photometrics.ycbcr:
      return samples === 3 && bits === 8 ? "RGB" : undefined;
    default:
      return undefined;
  }
}

function readLayout(directory: Directory): Layout {
  const { littleEndian } = directory;
  const width = directory.number(tags.width);
  const height = directory.number(tags.height);
  const photometric = directory.number(tags.photometric, photometrics.whiteIsZero);
  const compression = directory.number(tags.compression, compressions.none);
  if (!supportedCompressions.includes(compression)) {
    throw new UnsupportedImageError(
      `${compressionNames[compression] ?? "unknown"} compression, number ${compression} ` +
        "(supported: none, LZW, Deflate, PackBits and JPEG)",
    );
  }
  const bitsOfSamples = directory.numbers(tags.bits, mostSamples) ?? [1];
  const samples = directory.number(tags.samplesPerPixel, 1);
  const bits = bitsOfSamples[0] ?? 1;
  const extra = directory.numbers(tags.extraSamples, mostSamples) ?? [];
  const sampleFormat = directory.number(tags.sampleFormat, unsignedFormat);
  const mode = modeOf(photometric, sampleFormat, bits, extra, samples, littleEndian);
  if (mode === undefined || samples > mostSamples || bitsOfSamples.some((each) => each !== bits)) {
    throw new UnsupportedImageError(
      `photometric interpretation ${photometric} with ${samples} samples of ${bits} bits`,
    );
  }
  if (photometric === photometrics.ycbcr && compression !== compressions.jpeg) {
    throw new UnsupportedImageError("YCbCr without JPEG compression");
  }

  const tiled = directory.values(tags.tileOffsets) !== undefined;
  const tile = tiled
    ? { width: directory.number(tags.tileWidth), height: directory.number(tags.tileHeight) }
    : { width, height: Math.min(directory.number(tags.rowsPerStrip, height), height) };
  if (tile.width === 0 || tile.height === 0) throw new ImageFormatError("strips or tiles without a size");
  const offsets = directory.values(tiled ? tags.tileOffsets : tags.stripOffsets);
  if (offsets === undefined) throw new ImageFormatError("no strips or tiles");
  return {
    width,
    height,
    littleEndian,
    mode,
    bits,
    sampleFormat,
    samples,
    compression,
    photometric,
    predictor: directory.number(tags.predictor, 1),
    planar: directory.number(tags.planar, 1) === 2 && samples > 1,
    reversedBits: directory.number(tags.fillOrder, 1) === 2,
    premultiplied: mode === "RGBA" && extra[0] === 1,
    tile,
    offsets,
    byteCounts: directory.values(tiled ? tags.tileBytes : tags.stripBytes),
  };
}

/**
 * Decodes the first page and applies its orientation, as Pillow does.
 *
 * @param file a whole TIFF file
 * @throws ImageFormatError
 */
export async function decodeTiff(file: ImageBytes, codecs: ImageCodecs): Promise<DecodedImage> {
  const directory = readDirectory(file);
  const layout = readLayout(directory);
  const { width, height, mode, tile } = layout;
  const bands = bandsOf(mode);
  const across = Math.ceil(width / tile.width);
  const down = Math.ceil(height / tile.height);
  const planes = layout.planar ? bands : 1;
  if (layout.offsets.length < across * down * planes)
    throw new ImageFormatError("fewer strips or tiles than needed");
  // Tiles may be larger than the image.
  assertUnpacked(across * rowBytesOf(layout) * height * planes);
  const data = newSamples(mode, width * height * bands);

  for (let plane = 0; plane < planes; plane++) {
    for (let index = 0; index < across * down; index++) {
      const left = (index % across) * tile.width;
      const top = Math.floor(index / across) * tile.height;
      const rows = Math.min(tile.height, height - top);
      const part = plane * across * down + index;
      const stored = await readPart(file, directory, layout, part, rows, codecs);
      const columns = Math.min(tile.width, width - left);
      copyPart(layout, stored, { left, top, width: columns, height: rows }, data, bands, plane);
    }
  }
  if (layout.premultiplied) unpremultiply(data, bands, "black");
  let image: DecodedImage = { width, height, mode, data, stride: bands };
  if (mode === "P") image = { ...image, palette: readPalette(directory) };
  return orient(image, directory.number(tags.orientation, 1));
}

function readPalette(directory: Directory): Uint8Array {
  const stored = directory.values(tags.colourMap);
  if (stored === undefined) throw new ImageFormatError("a palette image without its palette");
  const colours = Math.floor(stored.length / 3);
  const palette = new Uint8Array(Math.min(colours, 256) * 3);
  for (let i = 0; i < palette.length; i++) {
    palette[i] = stored.at((i % 3) * colours + Math.floor(i / 3)) >> 8;
  }
  return paletteOf(palette);
}

/** The bytes of a row of a strip or tile. */
function rowBytesOf({ tile, planar, samples, bits }: Layout): number {
  return Math.ceil((tile.width * (planar ? 1 : samples) * bits) / 8);
}

/** Decompresses one strip or tile: rows of `tile.width` pixels. */
async function readPart(
  file: ImageBytes,
  directory: Directory,
  layout: Layout,
  part: number,
  rows: number,
  codecs: ImageCodecs,
): Promise<Uint8Array> {
  const { compression } = layout;
  const samples = layout.planar ? 1 : layout.samples;
  const rowBytes = rowBytesOf(layout);
  const size = rowBytes * rows;
  const offset = layout.offsets.at(part);
  if (compression === compressions.none) {
    const stored = file.slice(offset, size).slice();
    if (layout.reversedBits) reverseBits(stored);
    return stored;
  }
  const packed = file.slice(offset, packedBytes(file, layout, part));
  if (compression === compressions.jpeg) return readJpegPart(packed, directory, layout, rows, codecs);
  let stored: Uint8Array;
  let length: number;
  const source = layout.reversedBits ? packed.slice() : packed;
  if (layout.reversedBits) reverseBits(source);
  switch (compression) {
    case compressions.lzw:
      assertEnough(file, source.length, size, "lzw");
      stored = new Uint8Array(size);
      length = decodeLzw(source, stored, { literalBits: 8, leastSignificantFirst: false, early: true });
      break;
    case compressions.packBits:
      assertEnough(file, source.length, size, "packBits");
      stored = new Uint8Array(size);
      length = unpackRuns(source, stored);
      break;
    case compressions.deflate:
    case compressions.oldDeflate:
      assertEnough(file, source.length, size, "deflate");
      stored = await codecs.inflate(source, size);
      length = stored.length;
      break;
    default:
      throw new UnsupportedImageError(`compression ${compression}`);
  }
  if (length < size) throw truncated(file.length);
  if (layout.predictor === 2) undoDifferences(stored, rowBytes, rows, samples, layout);
  else if (layout.predictor !== 1) throw new UnsupportedImageError(`predictor ${layout.predictor}`);
  return stored;
}

function packedBytes(file: ImageBytes, { offsets, byteCounts }: Layout, part: number): number {
  if (byteCounts === undefined) return Math.max(file.length - offsets.at(part), 0);
  return part < byteCounts.length ? byteCounts.at(part) : 0;
}

function reverseBits(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) {
    let value = bytes[i]!;
    value = ((value & 0x0f) << 4) | (value >> 4);
    value = ((value & 0x33) << 2) | ((value >> 2) & 0x33);
    bytes[i] = ((value & 0x55) << 1) | ((value >> 1) & 0x55);
  }
}

function unpackRuns(source: Uint8Array, target: Uint8Array): number {
  let to = 0;
  for (let at = 0; at < source.length && to < target.length;) {
    const head = source[at++]!;
    if (head === 128) continue;
    const count = Math.min(head < 128 ? head + 1 : 257 - head, target.length - to);
    if (head < 128) {
      const run = source.subarray(at, at + count);
      target.set(run, to);
      to += run.length;
      at += head + 1;
    } else {
      if (at >= source.length) break;
      target.fill(source[at++]!, to, to + count);
      to += count;
    }
  }
  return to;
}

/** Reverses horizontal differencing, which stores each sample as the difference to the pixel on its left. */
function undoDifferences(
  bytes: Uint8Array,
  rowBytes: number,
  rows: number,
  samples: number,
  layout: Layout,
): void {
  const { bits, littleEndian } = layout;
  if (bits === 8) {
    for (let y = 0; y < rows; y++) {
      for (let i = y * rowBytes + samples; i < (y + 1) * rowBytes; i++) bytes[i]! += bytes[i - samples]!;
    }
    return;
  }
  if (bits !== 16 && bits !== 32) throw new ImageFormatError(`TIFF predictor 2 with ${bits} bits`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = (samples * bits) / 8;
  for (let y = 0; y < rows; y++) {
    for (let at = y * rowBytes + step; at < (y + 1) * rowBytes; at += bits / 8) {
      if (bits === 16) {
        view.setUint16(
          at,
          view.getUint16(at, littleEndian) + view.getUint16(at - step, littleEndian),
          littleEndian,
        );
      } else {
        view.setUint32(
          at,
          view.getUint32(at, littleEndian) + view.getUint32(at - step, littleEndian),
          littleEndian,
        );
      }
    }
  }
}

/** Decodes a strip or tile that is a JPEG stream, whose tables are in a tag. */
async function readJpegPart(
  packed: Uint8Array,
  directory: Directory,
  layout: Layout,
  rows: number,
  codecs: ImageCodecs,
): Promise<Uint8Array> {
  const channels = layout.planar ? 1 : layout.samples;
  if (layout.bits !== 8 || (channels !== 1 && channels !== 3)) {
    throw new UnsupportedImageError(`JPEG compression of ${channels} samples of ${layout.bits} bits`);
  }
  const startMarkerBytes = 2;
  const tables = directory.bytes(tags.jpegTables);
  // An Adobe segment declares whether the colours are RGB or YCbCr.
  const transform = Number(layout.photometric === photometrics.ycbcr);
  const adobe = [0xff, 0xee, 0, 14, ...new TextEncoder().encode("Adobe"), 0, 100, 0, 0, 0, 0, transform];
  const jpeg = concatenate([
    tables === undefined ? Uint8Array.of(0xff, 0xd8) : tables.subarray(0, -2),
    Uint8Array.from(channels === 3 ? adobe : []),
    packed.subarray(startMarkerBytes),
  ]);
  const part = new ImageBytes(jpeg);
  const header = readJpegHeader(part);
  // A strip's height is often a multiple of 16 rows, more than the image has left.
  if (header.width < layout.tile.width || header.height < rows) {
    throw new ImageFormatError("a JPEG strip or tile that is too small");
  }
  if (header.width > layout.tile.width + 64 || header.height > layout.tile.height + 64) {
    throw new ImageFormatError("a JPEG strip or tile that is too large");
  }
  assertJpegScans(part);
  const { width, data, stride } = await codecs.jpeg(jpeg);
  const stored = new Uint8Array(layout.tile.width * rows * channels);
  let to = 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < layout.tile.width; x++) {
      for (let channel = 0; channel < channels; channel++)
        stored[to++] = data[(y * width + x) * stride + channel]!;
    }
  }
  return stored;
}

/** Copies one strip or tile into the image. */
function copyPart(
  layout: Layout,
  stored: Uint8Array,
  window: Size & { left: number; top: number },
  target: Samples,
  bands: number,
  plane: number,
): void {
  const { bits, mode, photometric, littleEndian, sampleFormat } = layout;
  const samples = layout.planar ? 1 : layout.samples;
  const rowBytes = Math.ceil((layout.tile.width * samples * bits) / 8);
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const inverted = photometric === photometrics.whiteIsZero && (mode === "1" || mode === "L");
  const kept = layout.planar ? 1 : bands;
  for (let y = 0; y < window.height; y++) {
    const row = y * rowBytes;
    const to = ((window.top + y) * layout.width + window.left) * bands + plane;
    if (bits < 8) {
      const factor = mode === "P" ? 1 : 255 / ((1 << bits) - 1);
      unpackBits(stored, row, bits, window.width, factor, target, to);
      if (inverted) for (let x = 0; x < window.width; x++) target[to + x] = 255 - target[to + x]!;
      continue;
    }
    if (bits === 8 && !inverted && samples === bands) {
      target.set(stored.subarray(row, row + window.width * bands), to);
      continue;
    }
    for (let x = 0; x < window.width; x++) {
      for (let band = 0; band < kept; band++) {
        const at = row + ((x * samples + band) * bits) / 8;
        target[to + x * bands + band] = readSample(view, at, {
          bits,
          sampleFormat,
          littleEndian,
          mode,
          inverted,
        });
      }
    }
  }
}

interface SampleKind {
  readonly bits: number;
  readonly sampleFormat: number;
  readonly littleEndian: boolean;
  readonly mode: PixelMode;
  readonly inverted: boolean;
}

function readSample(view: DataView, at: number, kind: SampleKind): number {
  const { bits, sampleFormat, littleEndian, mode, inverted } = kind;
  if (bits === 8) return inverted ? 255 - view.getUint8(at) : view.getUint8(at);
  if (bits === 16) {
    if (mode === "I") return view.getInt16(at, littleEndian);
    const value = view.getUint16(at, littleEndian);
    // Colours keep only the high byte, gray keeps 16 bits.
    return mode === "I;16" || mode === "I;16B" ? value : value >> 8;
  }
  if (sampleFormat === floatFormat) return view.getFloat32(at, littleEndian);
  return view.getInt32(at, littleEndian);
}
