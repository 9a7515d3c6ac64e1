/**
 * GIF: the first frame on its screen, as palette indices.
 *
 * jimp's omggif drops transparent pixels. Pillow keeps their index, whose colour appears in RGB.
 *
 * Source: CompuServe, GIF89a Specification; Pillow, src/PIL/GifImagePlugin.py
 */
import type { DecodedImage, Size } from "../image.ts";
import { assertEnough } from "../limits.ts";
import { concatenate, ImageFormatError, paletteOf, truncated, type ImageBytes } from "./bytes.ts";
import type { ReadHeader } from "./format.ts";
import { decodeLzw } from "./lzw.ts";

interface Frame extends Size {
  readonly left: number;
  readonly top: number;
  readonly interlaced: boolean;
  /** Undefined if the palette is gray, which Pillow reads as mode "L". */
  readonly palette: Uint8Array | undefined;
  /** The index of the screen around the frame. */
  readonly transparent: number | undefined;
  /** The position of the compressed data: the code size, then the blocks. */
  readonly dataAt: number;
}

/** The palette; undefined if colour i is gray level i. */
function unlessGray(palette: Uint8Array): Uint8Array | undefined {
  return palette.every((value, i) => value === Math.floor(i / 3)) ? undefined : palette;
}

function readFirstFrame(file: ImageBytes): Frame {
  let at = 13;
  let palette: Uint8Array | undefined;
  const readPalette = (tableFlags: number) => {
    if ((tableFlags & 0x80) === 0) return;
    const length = 3 << ((tableFlags & 7) + 1);
    palette = unlessGray(file.slice(at, length));
    at += length;
  };
  readPalette(file.u8(10));
  let transparent: number | undefined;
  for (;;) {
    const kind = file.u8(at);
    if (kind === 0x21) {
      if (file.u8(at + 1) === 0xf9 && file.u8(at + 2) >= 4 && file.u8(at + 3) & 1)
        transparent = file.u8(at + 6);
      at = endOfBlocks(file, at + 2);
    } else if (kind === 0x2c) {
      break;
    } else if (kind === 0x3b) {
      throw new ImageFormatError("no frame");
    } else {
      at += 1;
    }
  }
  const [left, top] = [file.u16(at + 1, true), file.u16(at + 3, true)];
  const [width, height] = [file.u16(at + 5, true), file.u16(at + 7, true)];
  const frameFlags = file.u8(at + 9);
  at += 10;
  readPalette(frameFlags);
  return {
    left,
    top,
    width,
    height,
    interlaced: (frameFlags & 0x40) !== 0,
    palette,
    transparent,
    dataAt: at,
  };
}

/** The position after a chain of blocks, each preceded by its length. A block of length 0 ends the chain. */
function endOfBlocks(file: ImageBytes, at: number): number {
  for (;;) {
    const length = file.u8(at);
    at += length + 1;
    if (length === 0) return at;
  }
}

function joinBlocks(file: ImageBytes, from: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (let at = from; at < file.length;) {
    const length = file.u8(at);
    if (length === 0) break;
    blocks.push(file.bytes.subarray(at + 1, at + 1 + length));
    at += length + 1;
  }
  return concatenate(blocks);
}

/** The size of the screen, enlarged to hold the first frame. */
export const readGifHeader: ReadHeader = (file) => {
  const frame = readFirstFrame(file);
  return {
    width: Math.max(file.u16(6, true), frame.left + frame.width),
    height: Math.max(file.u16(8, true), frame.top + frame.height),
  };
};

/** The rows of a frame in the order of the file. */
function storedRows({ height, interlaced }: Frame): number[] {
  const rows: number[] = [];
  const passes = interlaced
    ? ([
        [0, 8],
        [4, 8],
        [2, 4],
        [1, 2],
      ] as const)
    : ([[0, 1]] as const);
  for (const [first, step] of passes) for (let y = first; y < height; y += step) rows.push(y);
  return rows;
}

/**
 * @param file a whole GIF file
 * @throws ImageFormatError
 */
export function decodeGif(file: ImageBytes): DecodedImage {
  const { width, height } = readGifHeader(file);
  const frame = readFirstFrame(file);
  const literalBits = file.u8(frame.dataAt);
  if (literalBits > 11)
    throw new ImageFormatError(`a code size of ${literalBits} bits, which GIF does not support`);
  const compressed = joinBlocks(file, frame.dataAt + 1);
  assertEnough(file, compressed.length, frame.width * frame.height, "lzw");
  const indices = new Uint8Array(frame.width * frame.height);
  const written = decodeLzw(compressed, indices, { literalBits, leastSignificantFirst: true, early: false });
  if (written < indices.length) throw truncated(file.length);

  const data = new Uint8Array(width * height).fill(frame.transparent ?? 0);
  for (const [stored, y] of storedRows(frame).entries()) {
    const row = indices.subarray(stored * frame.width, (stored + 1) * frame.width);
    data.set(row, (frame.top + y) * width + frame.left);
  }
  if (frame.palette === undefined) return { width, height, mode: "L", data, stride: 1 };
  return { width, height, mode: "P", data, stride: 1, palette: paletteOf(frame.palette) };
}
