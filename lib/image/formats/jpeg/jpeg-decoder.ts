/**
 * Decodes the kinds of JPEG for which mozjpeg does not give libjpeg-turbo's values: four inks (CMYK and YCCK), which it
 * rejects, and colour with only half the height (4:4:0, for example a rotated 4:2:2 image), which it upsamples by
 * repetition.
 *
 * A complete decoder, baseline and progressive, with libjpeg-turbo's arithmetic. It is slower than the WASM codec, and
 * rejects damaged data.
 *
 * Source: ITU-T T.81; libjpeg-turbo, jdcolor.c and jdapimin.c (colours); Pillow, src/PIL/JpegImagePlugin.py (inks are
 * stored inverted)
 */
import type { DecodedImage } from "../../image.ts";
import { assertUnpacked } from "../../limits.ts";
import { ImageFormatError, UnsupportedImageError, type ImageBytes } from "../bytes.ts";
import {
  decodeScan,
  readHuffman,
  readScan,
  zigzag,
  type Component,
  type Frame,
  type HuffmanTable,
} from "./entropy.ts";
import { blockSize, inverseDct } from "./inverse-dct.ts";
import { isFrame, markers, nextSegment, readFrameHeader } from "./jpeg-segments.ts";
import { upsample, type Plane } from "./upsampling.ts";

function readFrame(file: ImageBytes, at: number, marker: number): Frame {
  if (marker > 0xc2) throw new UnsupportedImageError("arithmetic or lossless coding of CMYK or 4:4:0");
  const { width, height, components: given } = readFrameHeader(file, at);
  if (given.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4))
    throw new ImageFormatError("damaged sampling factors");
  const maxH = Math.max(...given.map(({ h }) => h));
  const maxV = Math.max(...given.map(({ v }) => v));
  // Coefficients have 16 bits.
  assertUnpacked(2 * width * height * given.length);
  const components = given.map((component) => {
    const { h, v } = component;
    const blocksAcross = Math.ceil(width / (8 * maxH)) * h;
    const blocksDown = Math.ceil(height / (8 * maxV)) * v;
    return {
      ...component,
      width: Math.ceil((width * h) / maxH),
      height: Math.ceil((height * v) / maxV),
      blocksAcross,
      blocksDown,
      coefficients: new Int16Array(blocksAcross * blocksDown * blockSize),
      predictor: 0,
    };
  });
  return { progressive: marker === 0xc2, width, height, maxH, maxV, components };
}

function toSamples(component: Component, quantization: Int32Array): Plane {
  const { blocksAcross, blocksDown, coefficients } = component;
  const stride = blocksAcross * 8;
  const data = new Uint8ClampedArray(stride * blocksDown * 8);
  const block = new Int32Array(blockSize);
  for (let y = 0; y < blocksDown; y++) {
    for (let x = 0; x < blocksAcross; x++) {
      const from = (y * blocksAcross + x) * blockSize;
      for (let i = 0; i < blockSize; i++) block[i] = coefficients[from + i]! * quantization[i]!;
      inverseDct(block);
      for (let i = 0; i < 8; i++) {
        const to = (y * 8 + i) * stride + x * 8;
        for (let j = 0; j < 8; j++) data[to + j] = block[i * 8 + j]! + 128;
      }
    }
  }
  return { data: new Uint8Array(data.buffer), stride, width: component.width, height: component.height };
}

/** Converts YCbCr to RGB in place. */
function ycbcrToRgb(samples: Uint8Array, stride: number): void {
  const fixed = (value: number) => Math.trunc(value * 65536 + 0.5);
  const half = 1 << 15;
  const clamp = (value: number) => (value < 0 ? 0 : value > 255 ? 255 : value);
  for (let at = 0; at < samples.length; at += stride) {
    const luma = samples[at]!;
    const blue = samples[at + 1]! - 128;
    const red = samples[at + 2]! - 128;
    samples[at] = clamp(luma + ((fixed(1.402) * red + half) >> 16));
    samples[at + 1] = clamp(luma + ((-fixed(0.34414) * blue - fixed(0.71414) * red + half) >> 16));
    samples[at + 2] = clamp(luma + ((fixed(1.772) * blue + half) >> 16));
  }
}

/**
 * @param file a whole JPEG file of three or four components
 * @returns mode "RGB", or "CMYK" with 255 for full ink
 * @throws ImageFormatError
 */
export function decodeJpegExactly(file: ImageBytes): DecodedImage {
  const quantization: Int32Array[] = [];
  const dcTables: HuffmanTable[] = [];
  const acTables: HuffmanTable[] = [];
  let frame: Frame | undefined;
  let restartInterval = 0;
  let jfif = false;
  let adobe: number | undefined;
  for (let segment = nextSegment(file, 2); segment.marker !== markers.endOfImage;) {
    const { marker, at, contents } = segment;
    let { end } = segment;
    if (marker === markers.quantizationTables) readQuantization(contents, quantization);
    else if (marker === markers.huffmanTables) readHuffman(contents, dcTables, acTables);
    else if (marker === markers.restartInterval) restartInterval = file.u16(at + 4, false);
    else if (marker === markers.app14 && file.ascii(at + 4, 5) === "Adobe") adobe = file.u8(at + 15);
    else if (marker === markers.app0 && file.ascii(at + 4, 4) === "JFIF") jfif = true;
    else if (isFrame(marker)) {
      if (frame !== undefined) throw new ImageFormatError("a second frame");
      frame = readFrame(file, at, marker);
    } else if (marker === markers.startOfScan) {
      if (frame === undefined) throw new ImageFormatError("a scan before its frame header");
      const scan = readScan(contents, frame, dcTables, acTables);
      end = decodeScan(file, end, frame, scan, restartInterval);
    }
    segment = nextSegment(file, end);
  }
  if (frame === undefined) throw new ImageFormatError("no image data");
  const ids = frame.components.map(({ id }) => id);
  const samples = combine(frame, quantization);
  const { width, height } = frame;
  if (ids.length === 3) {
    const rgb = !jfif && (adobe === undefined ? String.fromCharCode(...ids) === "RGB" : adobe === 0);
    if (!rgb) ycbcrToRgb(samples, 3);
    return { width, height, mode: "RGB", data: samples, stride: 3 };
  }
  // Inks are stored inverted. libjpeg converts YCCK to RGB and inverts the result, so both inversions cancel out.
  const ycck = adobe !== undefined && adobe !== 0;
  if (ycck) ycbcrToRgb(samples, 4);
  for (let i = 0; i < samples.length; i++) {
    if (!ycck || i % 4 === 3) samples[i] = 255 - samples[i]!;
  }
  return { width, height, mode: "CMYK", data: samples, stride: 4 };
}

function readQuantization(segment: Uint8Array, tables: Int32Array[]): void {
  for (let at = 0; at < segment.length;) {
    const head = segment[at++]!;
    const bytes = head >> 4 === 0 ? 1 : 2;
    if (at + blockSize * bytes > segment.length) throw new ImageFormatError("a damaged quantisation table");
    const table = new Int32Array(blockSize);
    for (let k = 0; k < blockSize; k++, at += bytes) {
      table[zigzag[k]!] = bytes === 1 ? segment[at]! : (segment[at]! << 8) | segment[at + 1]!;
    }
    tables[head & 3] = table;
  }
}

/** Interleaves the components at full size: [height, width, components]. */
function combine(frame: Frame, quantization: readonly Int32Array[]): Uint8Array {
  const { width, height, maxH, maxV, components } = frame;
  const bands = components.length;
  const samples = new Uint8Array(width * height * bands);
  for (const [band, component] of components.entries()) {
    const table = quantization[component.quantization];
    if (table === undefined) throw new ImageFormatError("no quantisation table");
    const [stepX, stepY] = [maxH / component.h, maxV / component.v];
    if (!Number.isInteger(stepX) || !Number.isInteger(stepY)) {
      throw new UnsupportedImageError("fractional sampling of CMYK or 4:4:0");
    }
    const plane = upsample(toSamples(component, table), stepX, stepY);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++)
        samples[(y * width + x) * bands + band] = plane.data[y * plane.stride + x]!;
    }
  }
  return samples;
}
