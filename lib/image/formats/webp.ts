/**
 * WebP. This file reads the container; libwebp, a codec that the host provides, decodes the pixels of still files.
 *
 * Source: Google, WebP Container Specification; Pillow, src/_webp.c (the container's flag decides about alpha)
 */
import { paste, type DecodedImage, type Size } from "../image.ts";
import { ImageFormatError, truncated } from "./bytes.ts";
import type { ImageBytes } from "./bytes.ts";
import type { ImageCodecs, ReadHeader } from "./format.ts";

interface Chunk {
  readonly type: string;
  /** The position of its contents. */
  readonly at: number;
  readonly length: number;
}

interface Header extends Size {
  readonly alpha: boolean;
  readonly animated: boolean;
}

const alphaFlag = 0x10;
const animationFlag = 0x02;

function u24(file: ImageBytes, at: number): number {
  return file.u16(at, true) | (file.u8(at + 2) << 16);
}

function* chunks(file: ImageBytes, at: number, end: number): Generator<Chunk> {
  while (at + 8 <= end) {
    const length = file.u32(at + 4, true);
    yield { type: file.ascii(at, 4), at: at + 8, length };
    at += 8 + length + (length % 2);
  }
}

function readHeader(file: ImageBytes): Header {
  const type = file.ascii(12, 4);
  if (type === "VP8X") {
    const flags = file.u8(20);
    return {
      width: u24(file, 24) + 1,
      height: u24(file, 27) + 1,
      alpha: (flags & alphaFlag) !== 0,
      animated: (flags & animationFlag) !== 0,
    };
  }
  if (type === "VP8L") {
    const bits = file.u32(21, true);
    return {
      width: (bits & 0x3fff) + 1,
      height: ((bits >>> 14) & 0x3fff) + 1,
      alpha: ((bits >>> 28) & 1) !== 0,
      animated: false,
    };
  }
  if (type !== "VP8 ")
    throw new ImageFormatError(`a ${JSON.stringify(type)} chunk where WebP has VP8, VP8L or VP8X`);
  return {
    width: file.u16(26, true) & 0x3fff,
    height: file.u16(28, true) & 0x3fff,
    alpha: false,
    animated: false,
  };
}

export const readWebpHeader: ReadHeader = (file) => readHeader(file);

/** The contents of the EXIF chunk. */
export function readWebpExif(file: ImageBytes): Uint8Array | undefined {
  for (const { type, at, length } of chunks(file, 12, file.length)) {
    if (type === "EXIF") return file.slice(at, length);
  }
  return undefined;
}

/**
 * @param file a whole WebP file; an animated one gives its first frame on a transparent canvas, as in Pillow
 * @throws ImageFormatError
 */
export async function decodeWebp(file: ImageBytes, codecs: ImageCodecs): Promise<DecodedImage> {
  const { width, height, alpha, animated } = readHeader(file);
  if (12 + file.u32(4, true) - 4 > file.length) throw truncated(file.length);
  const data = animated
    ? await decodeFirstFrame(file, { width, height }, codecs)
    : (await codecs.webp(file.bytes)).data;
  return { width, height, mode: alpha ? "RGBA" : "RGB", data, stride: 4 };
}

async function decodeFirstFrame(file: ImageBytes, canvas: Size, codecs: ImageCodecs): Promise<Uint8Array> {
  for (const { type, at, length } of chunks(file, 12, file.length)) {
    if (type !== "ANMF") continue;
    const left = u24(file, at) * 2;
    const top = u24(file, at + 3) * 2;
    const [width, height] = [u24(file, at + 6) + 1, u24(file, at + 9) + 1];
    if (left + width > canvas.width || top + height > canvas.height) {
      throw new ImageFormatError("a frame that reaches beyond its canvas");
    }
    const frame = await codecs.webp(stillFile(file, at, length));
    if (frame.width !== width || frame.height !== height) {
      throw new ImageFormatError("a frame of another size than its header says");
    }
    const data = new Uint8Array(canvas.width * canvas.height * 4);
    paste(frame.data, frame, data, canvas.width, left, top, 4);
    return data;
  }
  throw new ImageFormatError("an animation without a frame");
}

/** Makes a still WebP file of an ANMF chunk: a VP8X header with the frame's size, then the frame's chunks. */
function stillFile(file: ImageBytes, at: number, length: number): Uint8Array {
  const frameHeaderBytes = 16;
  const kept = file.slice(at + frameHeaderBytes, length - frameHeaderBytes);
  const size = file.slice(at + 6, 6);
  const still = new Uint8Array(30 + kept.length);
  const view = new DataView(still.buffer);
  still.set(new TextEncoder().encode("RIFF"), 0);
  view.setUint32(4, still.length - 8, true);
  still.set(new TextEncoder().encode("WEBPVP8X"), 8);
  view.setUint32(16, 10, true);
  still[20] = alphaFlag;
  still.set(size, 24);
  still.set(kept, 30);
  return still;
}
