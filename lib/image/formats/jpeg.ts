/**
 * JPEG: the header, read here; the pixels from mozjpeg (what `@jimp/wasm-jpeg` wraps), whose output is libjpeg-turbo's.
 * jimp's own JavaScript decoder is up to 67 levels off with subsampled colour.
 *
 * @source ITU-T T.81; Pillow, src/PIL/JpegImagePlugin.py (modes)
 */
import type { DecodedImage } from "../image.ts";
import { ImageFormatError, truncated } from "./bytes.ts";
import type { ImageBytes } from "./bytes.ts";
import type { ImageCodecs, ImageSize, ReadHeader } from "./format.ts";
import { decodeJpegHere } from "./jpeg-decoder.ts";

interface Header extends ImageSize {
  readonly components: number;
  /** Some component has every column but only every second row. */
  readonly halvedInHeight: boolean;
  /** Where the first scan's marker stands. */
  readonly scanAt: number;
  /** TIFF-like block of an Exif APP1 segment. */
  readonly exif: Uint8Array | undefined;
}

/** Markers of frame headers: SOF0 to SOF15 without DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function readFrame(file: ImageBytes, at: number): Omit<Header, "scanAt" | "exif"> {
  const components = file.u8(at + 9);
  const sampling = Array.from({ length: components }, (_, i) => file.u8(at + 11 + i * 3));
  const maxH = Math.max(...sampling.map((factors) => factors >> 4));
  const maxV = Math.max(...sampling.map((factors) => factors & 15));
  const halvedInHeight = sampling.some((factors) => factors >> 4 === maxH && (factors & 15) * 2 === maxV);
  return { height: file.u16(at + 5, false), width: file.u16(at + 7, false), components, halvedInHeight };
}

function readHeader(file: ImageBytes): Header {
  let frame: Omit<Header, "scanAt" | "exif"> | undefined;
  let exif: Uint8Array | undefined;
  for (let at = 2; ;) {
    if (file.u8(at) !== 0xff) {
      at += 1;
      continue;
    }
    const marker = file.u8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
      continue;
    }
    if (marker === 0xd9) throw new ImageFormatError("no image data");
    if (marker === 0xda) {
      if (frame === undefined) throw new ImageFormatError("a scan before its frame header");
      return { ...frame, scanAt: at, exif };
    }
    if (isFrame(marker)) {
      const precision = file.u8(at + 4);
      if (precision !== 8) throw new ImageFormatError(`${precision} bits a sample; JPEG is supported with 8`);
      frame ??= readFrame(file, at);
    }
    const length = file.u16(at + 2, false);
    if (marker === 0xe1 && exif === undefined && file.ascii(at + 4, 6) === "Exif\0\0") {
      exif = file.slice(at + 10, Math.max(length - 8, 0));
    }
    at += 2 + length;
  }
}

export const readJpegHeader: ReadHeader = (file) => readHeader(file);

/** The Exif segment's contents. */
export function readJpegExif(file: ImageBytes): Uint8Array | undefined {
  return readHeader(file).exif;
}

/**
 * @param file a whole JPEG file
 * @throws ImageFormatError
 */
export async function decodeJpeg(file: ImageBytes, codecs: ImageCodecs): Promise<DecodedImage> {
  const { components, halvedInHeight, scanAt } = readHeader(file);
  // libjpeg fills in what is missing with gray; Pillow refuses the file.
  if (!hasEnd(file.bytes, scanAt)) throw truncated(file.length);
  if (components === 4 || (components === 3 && halvedInHeight)) return decodeJpegHere(file);
  if (components !== 1 && components !== 3) {
    throw new ImageFormatError(`${components} colour components; JPEG is supported with 1, 3 and 4`);
  }
  const { width, height, data } = await codecs.jpeg(file.bytes);
  if (components === 3) return { width, height, mode: "RGB", data, stride: 4 };
  const gray = new Uint8Array(width * height);
  for (let i = 0; i < gray.length; i++) gray[i] = data[i * 4]!;
  return { width, height, mode: "L", data: gray, stride: 1 };
}

/** An end marker behind a position: compressed data has no such bytes by chance. */
function hasEnd(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.length - 2; at >= from; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true;
  }
  return false;
}
