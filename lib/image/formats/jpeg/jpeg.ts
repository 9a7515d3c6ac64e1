/**
 * JPEG. This file reads the header; mozjpeg, a codec from outside, decodes the pixels as libjpeg-turbo does. (jimp's own
 * JavaScript decoder differs by up to 67 levels for subsampled colour.)
 *
 * Source: ITU-T T.81; Pillow, src/PIL/JpegImagePlugin.py (modes)
 */
import type { DecodedImage } from "../../image.ts";
import { ImageFormatError, truncated, type ImageBytes } from "../bytes.ts";
import type { ImageCodecs, ReadHeader } from "../format.ts";
import { decodeJpegExactly } from "./jpeg-decoder.ts";
import { isFrame, markers, nextSegment, readFrameHeader, type FrameHeader } from "./jpeg-segments.ts";

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
        throw new ImageFormatError(`${frame.precision} bits per sample; only 8 are supported in JPEG`);
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
  if (components === 4 || (components === 3 && isHalvedInHeight(frame))) return decodeJpegExactly(file);
  if (components !== 1 && components !== 3) {
    throw new ImageFormatError(`${components} colour components; only 1, 3 and 4 are supported in JPEG`);
  }
  const { width, height, data } = await codecs.jpeg(file.bytes);
  if (components === 3) return { width, height, mode: "RGB", data, stride: 4 };
  const gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i++) gray[i] = data[i * 4]!;
  return { width, height, mode: "L", data: gray, stride: 1 };
}

/** Whether an end marker follows a position. Compressed data cannot contain its bytes. */
function hasEnd(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.length - 2; at >= from; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  }
  return false;
}
