/** The segments of a JPEG file: markers, their lengths, and frame headers. Source: ITU-T T.81, annex B */
import type { ImageBytes } from "../bytes.ts";

export const markers = {
  huffmanTables: 0xc4,
  endOfImage: 0xd9,
  startOfScan: 0xda,
  quantizationTables: 0xdb,
  restartInterval: 0xdd,
  app0: 0xe0,
  app1: 0xe1,
  app14: 0xee,
} as const;

export interface Segment {
  readonly marker: number;
  /** The position of the marker. */
  readonly at: number;
  /** The contents after the length field. Empty for the end of the image. */
  readonly contents: Uint8Array;
  /** The position after the segment. */
  readonly end: number;
}

/** The next segment at or after a position. Skips fill bytes and markers without a length. */
export function nextSegment(file: ImageBytes, from: number): Segment {
  let at = from;
  for (;;) {
    const marker = file.u8(at) === 0xff ? file.u8(at + 1) : -1;
    if (marker === -1 || marker === 0xff) {
      at += 1;
    } else if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += 2;
    } else if (marker === markers.endOfImage) {
      return { marker, at, contents: new Uint8Array(0), end: at + 2 };
    } else {
      const length = file.u16(at + 2, false);
      return { marker, at, contents: file.slice(at + 4, Math.max(length - 2, 0)), end: at + 2 + length };
    }
  }
}

/** Whether a marker starts a frame header: SOF0 to SOF15, without DHT, JPG and DAC. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

export interface FrameHeader {
  /** SOF0 to SOF15. */
  readonly marker: number;
  readonly precision: number;
  readonly width: number;
  readonly height: number;
  readonly components: readonly ComponentHeader[];
}

export interface ComponentHeader {
  readonly id: number;
  /** Horizontal and vertical sampling factors. */
  readonly h: number;
  readonly v: number;
  /** The index of its quantisation table. */
  readonly quantization: number;
}

/** Reads the frame header whose marker is at a position. */
export function readFrameHeader(file: ImageBytes, at: number): FrameHeader {
  const components = Array.from({ length: file.u8(at + 9) }, (_, i) => {
    const sampling = file.u8(at + 11 + i * 3);
    const quantization = file.u8(at + 12 + i * 3) & 3;
    return { id: file.u8(at + 10 + i * 3), h: sampling >> 4, v: sampling & 15, quantization };
  });
  return {
    marker: file.u8(at + 1),
    precision: file.u8(at + 4),
    height: file.u16(at + 5, false),
    width: file.u16(at + 7, false),
    components,
  };
}
