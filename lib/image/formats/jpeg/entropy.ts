/**
 * Entropy decoding of JPEG scans: Huffman codes, baseline and progressive.
 *
 * Source: ITU-T T.81; libjpeg-turbo, jdhuff.c and jdphuff.c
 */
import { ImageFormatError, type ImageBytes } from "../bytes.ts";
import { blockSize } from "./inverse-dct.ts";

/** The position (row times 8 plus column) of each coefficient, in the order in which a file stores them. */
export const zigzag = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
]);

export interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantization: number;
  /** In samples, without the padding of the last blocks. */
  readonly width: number;
  readonly height: number;
  /** Stored blocks, which fill whole MCUs. */
  readonly blocksAcross: number;
  readonly blocksDown: number;
  /** [blocksDown, blocksAcross, 64], quantised, in row-major order within a block. */
  readonly coefficients: Int16Array;
  /** The last DC value. Files store the difference to it. */
  predictor: number;
}

export interface Frame {
  readonly progressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly maxH: number;
  readonly maxV: number;
  readonly components: readonly Component[];
}

/** For the next 16 bits of the stream: the length of their first code in the high byte, its symbol in the low byte. */
export type HuffmanTable = Uint16Array;

interface Scan {
  readonly components: readonly { component: Component; dc: HuffmanTable; ac: HuffmanTable }[];
  readonly from: number;
  readonly to: number;
  /** Successive approximation: the previous bit position (0 in the first scan) and the one that this scan adds. */
  readonly high: number;
  readonly low: number;
}

/** A table without codes, for a scan that refers to a missing table. */
const noTable = new Uint16Array(1 << 16);

function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const table = new Uint16Array(1 << 16);
  let code = 0;
  let next = 0;
  for (let length = 1; length <= 16; length++) {
    for (let i = 0; i < counts[length - 1]!; i++, code++) {
      const span = 1 << (16 - length);
      const start = code * span;
      if (start + span > table.length) throw new ImageFormatError("a damaged Huffman table");
      table.fill((length << 8) | symbols[next++]!, start, start + span);
    }
    code <<= 1;
  }
  return table;
}

/** Reads the bits of one entropy-coded segment, up to the next marker. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #buffer = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The position of the marker after the segment, once its bits are read. */
  get position(): number {
    return this.#at;
  }

  #fill(): void {
    while (this.#count <= 16) {
      let byte = 0;
      if (this.#at < this.#bytes.length) {
        byte = this.#bytes[this.#at]!;
        if (byte !== 0xff) this.#at += 1;
        else if (this.#bytes[this.#at + 1] === 0) this.#at += 2;
        // Zeros follow at a marker. A segment that needs many of them decodes to an error or to damaged blocks.
        else byte = 0;
      }
      this.#buffer = ((this.#buffer << 8) | byte) & 0xffffff;
      this.#count += 8;
    }
  }

  bits(length: number): number {
    if (length === 0) return 0;
    this.#fill();
    this.#count -= length;
    return (this.#buffer >> this.#count) & ((1 << length) - 1);
  }

  symbol(table: HuffmanTable): number {
    this.#fill();
    const entry = table[(this.#buffer >> (this.#count - 16)) & 0xffff]!;
    const length = entry >> 8;
    if (length === 0) throw new ImageFormatError("damaged compressed data");
    this.#count -= length;
    return entry & 0xff;
  }

  /** Reads a signed number with the given number of bits. Source: ITU-T T.81, EXTEND */
  signed(length: number): number {
    const value = this.bits(length);
    return length > 0 && value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
  }
}

type DecodeBlock = (bits: BitReader, item: Scan["components"][number], at: number) => void;

function blockDecoder(progressive: boolean, scan: Scan): { decode: DecodeBlock; restart: () => void } {
  const { from, to, high, low } = scan;
  let endOfBandRun = 0;
  const restart = () => {
    endOfBandRun = 0;
  };

  const sequential: DecodeBlock = (bits, { component, dc, ac }, at) => {
    const { coefficients } = component;
    component.predictor += bits.signed(bits.symbol(dc));
    coefficients[at] = component.predictor;
    for (let k = 1; k < blockSize; k++) {
      const symbol = bits.symbol(ac);
      const size = symbol & 15;
      const run = symbol >> 4;
      if (size === 0) {
        if (run < 15) break;
        k += 15;
        continue;
      }
      k += run;
      const value = bits.signed(size);
      if (k < blockSize) coefficients[at + zigzag[k]!] = value;
    }
  };

  const firstDc: DecodeBlock = (bits, { component, dc }, at) => {
    component.predictor += bits.signed(bits.symbol(dc));
    component.coefficients[at] = component.predictor << low;
  };

  const refineDc: DecodeBlock = (bits, { component }, at) => {
    if (bits.bits(1) === 1) component.coefficients[at]! |= 1 << low;
  };

  const firstAc: DecodeBlock = (bits, { component, ac }, at) => {
    if (endOfBandRun > 0) {
      endOfBandRun -= 1;
      return;
    }
    for (let k = from; k <= to; k++) {
      const symbol = bits.symbol(ac);
      const size = symbol & 15;
      const run = symbol >> 4;
      if (size === 0) {
        if (run < 15) {
          endOfBandRun = (1 << run) - 1 + bits.bits(run);
          break;
        }
        k += 15;
        continue;
      }
      k += run;
      const value = bits.signed(size) << low;
      if (k < blockSize) component.coefficients[at + zigzag[k]!] = value;
    }
  };

  const refineAc: DecodeBlock = (bits, { component, ac }, at) => {
    const { coefficients } = component;
    const plus = 1 << low;
    /** Adds one bit to a coefficient that is not zero. */
    const refine = (place: number) => {
      if (bits.bits(1) === 0 || (coefficients[place]! & plus) !== 0) return;
      coefficients[place]! += coefficients[place]! >= 0 ? plus : -plus;
    };
    let k = from;
    if (endOfBandRun === 0) {
      for (; k <= to; k++) {
        const symbol = bits.symbol(ac);
        let run = symbol >> 4;
        let value = 0;
        if ((symbol & 15) !== 0) {
          value = bits.bits(1) === 1 ? plus : -plus;
        } else if (run < 15) {
          endOfBandRun = (1 << run) + bits.bits(run);
          break;
        }
        // Skips `run` zeros and refines the other coefficients on the way.
        for (; k <= to; k++) {
          const place = at + zigzag[k]!;
          if (coefficients[place] !== 0) refine(place);
          else if (--run < 0) break;
        }
        if (value !== 0 && k <= to) coefficients[at + zigzag[k]!] = value;
      }
    }
    if (endOfBandRun > 0) {
      for (; k <= to; k++) {
        const place = at + zigzag[k]!;
        if (coefficients[place] !== 0) refine(place);
      }
      endOfBandRun -= 1;
    }
  };

  if (!progressive) return { decode: sequential, restart };
  if (from === 0) return { decode: high === 0 ? firstDc : refineDc, restart };
  return { decode: high === 0 ? firstAc : refineAc, restart };
}

/** Decodes the blocks of a scan, and returns the position of the marker after it. */
export function decodeScan(
  file: ImageBytes,
  at: number,
  frame: Frame,
  scan: Scan,
  restartInterval: number,
): number {
  const { decode, restart } = blockDecoder(frame.progressive, scan);
  const [only] = scan.components;
  const interleaved = scan.components.length > 1;
  if (only === undefined) throw new ImageFormatError("a scan without components");
  const across = interleaved
    ? Math.ceil(frame.width / (8 * frame.maxH))
    : Math.ceil(only.component.width / 8);
  const down = interleaved
    ? Math.ceil(frame.height / (8 * frame.maxV))
    : Math.ceil(only.component.height / 8);
  let bits = new BitReader(file.bytes, at);
  const startSegment = () => {
    for (const { component } of scan.components) component.predictor = 0;
    restart();
  };
  startSegment();
  for (let unit = 0; unit < across * down; unit++) {
    if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
      const marker = bits.position;
      if (file.u8(marker) !== 0xff || (file.u8(marker + 1) & 0xf8) !== 0xd0) {
        throw new ImageFormatError("compressed data without its restart marker");
      }
      bits = new BitReader(file.bytes, marker + 2);
      startSegment();
    }
    const column = unit % across;
    const row = Math.floor(unit / across);
    if (!interleaved) {
      decode(bits, only, (row * only.component.blocksAcross + column) * blockSize);
      continue;
    }
    for (const item of scan.components) {
      const { h, v, blocksAcross } = item.component;
      for (let y = row * v; y < (row + 1) * v; y++) {
        for (let x = column * h; x < (column + 1) * h; x++)
          decode(bits, item, (y * blocksAcross + x) * blockSize);
      }
    }
  }
  return bits.position;
}

/** Reads the tables of a DHT segment. */
export function readHuffman(segment: Uint8Array, dcTables: HuffmanTable[], acTables: HuffmanTable[]): void {
  for (let at = 0; at + 17 <= segment.length;) {
    const head = segment[at]!;
    const counts = segment.subarray(at + 1, at + 17);
    const symbols = counts.reduce((sum, count) => sum + count, 0);
    if (at + 17 + symbols > segment.length) throw new ImageFormatError("a damaged Huffman table");
    const table = huffmanTable(counts, segment.subarray(at + 17, at + 17 + symbols));
    (head >> 4 === 0 ? dcTables : acTables)[head & 3] = table;
    at += 17 + symbols;
  }
}

/** Reads the header of an SOS segment. */
export function readScan(
  segment: Uint8Array,
  frame: Frame,
  dcTables: readonly HuffmanTable[],
  acTables: readonly HuffmanTable[],
): Scan {
  const count = segment[0] ?? 0;
  if (segment.length < 4 + 2 * count) throw new ImageFormatError("a damaged scan header");
  const components = Array.from({ length: count }, (_, i) => {
    const component = frame.components.find(({ id }) => id === segment[1 + 2 * i]);
    if (component === undefined) throw new ImageFormatError("a scan of an unknown component");
    const tables = segment[2 + 2 * i]!;
    // A scan may need only one of the two tables.
    return { component, dc: dcTables[tables >> 4] ?? noTable, ac: acTables[tables & 15] ?? noTable };
  });
  const [from, to, bits] = [segment[1 + 2 * count]!, segment[2 + 2 * count]!, segment[3 + 2 * count]!];
  if (frame.progressive && (to >= blockSize || from > to))
    throw new ImageFormatError("a damaged scan header");
  return { components, from, to, high: bits >> 4, low: bits & 15 };
}
