/**
 * JPEG. This file reads the header; a codec that the host provides decodes the pixels as libjpeg-turbo does.
 * (jimp's own JavaScript decoder differs by up to 67 levels for subsampled colour.)
 *
 * Source: ITU-T T.81; Pillow, src/PIL/JpegImagePlugin.py (modes)
 */
import type { DecodedImage } from "../../image.ts";
import { maximumScans } from "../../limits.ts";
import {
  ImageFormatError,
  ImageLimitError,
  truncated,
  UnsupportedImageError,
  type ImageBytes,
} from "../bytes.ts";
import type { ImageCodecs, ReadHeader } from "../format.ts";
import { decodeJpegExactly } from "./jpeg-decoder.ts";
import { isFrame, markers, nextSegment, readFrameHeader, type FrameHeader } from "./jpeg-segments.ts";

/** SOF3. Later frames are coded arithmetically, or hierarchical. */
const lastHuffmanFrame = 0xc3;

interface Header {
  readonly frame: FrameHeader;
  /** The position of the first scan's marker. */
  readonly scanAt: number;
  /** The TIFF structure of an Exif APP1 segment. */
  readonly exif: Uint8Array | undefined;
}

function readHeader(file: ImageBytes): Header {
  let frame: FrameHeader | undefined;
  let exif: Uint8Array | undefined;
  for (let segment = nextSegment(file, 2); ; segment = nextSegment(file, segment.end)) {
    const { marker, at, contents } = segment;
    if (marker === markers.endOfImage) throw new ImageFormatError("no image data");
    if (marker === markers.startOfScan) {
      if (frame === undefined) throw new ImageFormatError("a scan before its frame header");
      return { frame, scanAt: at, exif };
    }
    if (isFrame(marker)) {
      frame ??= readFrameHeader(file, at);
      if (frame.precision !== 8) {
        throw new UnsupportedImageError(`${frame.precision} bits per sample (supported: 8)`);
      }
    }
    if (marker === markers.app1 && exif === undefined && file.ascii(at + 4, 6) === "Exif\0\0") {
      exif = contents.subarray(6);
    }
  }
}

/** Whether some component has every column but only every second row. */
function isHalvedInHeight({ components }: FrameHeader): boolean {
  const maxH = Math.max(...components.map(({ h }) => h));
  const maxV = Math.max(...components.map(({ v }) => v));
  return components.some(({ h, v }) => h === maxH && v * 2 === maxV);
}

export const readJpegHeader: ReadHeader = (file) => readHeader(file).frame;

/**
 * Checks what a decoder would learn only as it works.
 *
 * @throws ImageLimitError for more scans than {@link maximumScans}
 * @throws ImageFormatError if the data are too short for the pixels
 */
export function assertJpegScans(file: ImageBytes): void {
  const { frame, scanAt } = readHeader(file);
  const { marker, width, height } = frame;
  const { bytes } = file;
  let scans = 0;
  for (let at = bytes.indexOf(0xff, scanAt); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === markers.startOfScan) scans += 1;
  }
  if (scans > maximumScans) {
    throw new ImageLimitError(`expected at most ${maximumScans} scans in a JPEG, found ${scans}`);
  }
  // A Huffman code has a bit or more, and each block of 8 x 8 samples a code or more.
  const blocks = Math.floor(width / 8) * Math.floor(height / 8);
  if (marker <= lastHuffmanFrame && blocks > 8 * file.length) throw truncated(file.length);
}

/** The contents of the Exif segment. */
export function readJpegExif(file: ImageBytes): Uint8Array | undefined {
  return readHeader(file).exif;
}

/**
 * @param file a whole JPEG file
 * @throws ImageFormatError
 */
export async function decodeJpeg(file: ImageBytes, codecs: ImageCodecs): Promise<DecodedImage> {
  const { frame, scanAt } = readHeader(file);
  const components = frame.components.length;
  // libjpeg fills the missing part with gray; Pillow refuses the file.
  if (!hasEnd(file.bytes, scanAt)) throw truncated(file.length);
  assertJpegScans(file);
  if (components === 4 || (components === 3 && isHalvedInHeight(frame))) return decodeJpegExactly(file);
  if (components !== 1 && components !== 3) {
    throw new UnsupportedImageError(`${components} colour components (supported: 1, 3 and 4)`);
  }
  const { width, height, data, stride } = await codecs.jpeg(file.bytes);
  if (components === 3) return { width, height, mode: "RGB", data, stride };
  const gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i++) gray[i] = data[i * stride]!;
  return { width, height, mode: "L", data: gray, stride: 1 };
}

/** Whether an end marker follows a position. Compressed data cannot contain its bytes. */
function hasEnd(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.length - 2; at >= from; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  }
  return false;
}
