/**
 * JPEG where mozjpeg does not give libjpeg-turbo's values: four inks (CMYK and YCCK), which it refuses, and colour that
 * is halved in height alone (4:4:0, as left by turning a 4:2:2 picture), which it only repeats.
 *
 * A whole decoder, baseline and progressive, that computes as libjpeg-turbo does: the accurate integer inverse DCT and
 * the smooth ("fancy") upsampling. Slower than the WASM codec, and strict: damaged data is an error.
 *
 * @source ITU-T T.81; libjpeg-turbo, jdhuff.c and jdphuff.c (entropy), jidctint.c (inverse DCT), jdsample.c
 *   (upsampling), jdcolor.c and jdapimin.c (colours); Pillow, src/PIL/JpegImagePlugin.py (inks are stored inverted)
 */
import type { DecodedImage } from "../image.ts";
import { ImageFormatError } from "./bytes.ts";
import type { ImageBytes } from "./bytes.ts";

const BLOCK = 64;

/** From the order in which coefficients are stored to row times 8 plus column. */
const ZIGZAG = Uint8Array.from([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46,
  53, 60, 61, 54, 47, 55, 62, 63,
]);

interface Component {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantization: number;
  /** Samples that mean something. */
  readonly width: number;
  readonly height: number;
  /** Blocks that are stored, up to whole MCUs. */
  readonly blocksAcross: number;
  readonly blocksDown: number;
  /** Quantised, in row-major order within a block: [blocksDown, blocksAcross, 64]. */
  readonly coefficients: Int16Array;
  /** The last DC value, of which the next is stored as the difference. */
  predictor: number;
}

interface Frame {
  readonly progressive: boolean;
  readonly width: number;
  readonly height: number;
  readonly maxH: number;
  readonly maxV: number;
  readonly components: readonly Component[];
}

/** For each 16 bits that may come next: the code's length in the high byte, its symbol in the low one. */
type HuffmanTable = Uint16Array;

interface Scan {
  readonly components: readonly { component: Component; dc: HuffmanTable; ac: HuffmanTable }[];
  readonly from: number;
  readonly to: number;
  /** Successive approximation: the bit that was known before (0 in the first pass), and the one that this scan adds. */
  readonly high: number;
  readonly low: number;
}

const NO_TABLE = new Uint16Array(1 << 16);

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

/** The bits of one entropy-coded segment, up to its marker. */
class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #buffer = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Where the marker behind the segment stands. */
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
        // At a marker zeros follow; using many of them is an error, found by the caller's block count.
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

  /** A signed number of a given bit length, in JPEG's form. */
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
    for (let k = 1; k < BLOCK; k++) {
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
      if (k < BLOCK) coefficients[at + ZIGZAG[k]!] = value;
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
      if (k < BLOCK) component.coefficients[at + ZIGZAG[k]!] = value;
    }
  };

  const refineAc: DecodeBlock = (bits, { component, ac }, at) => {
    const { coefficients } = component;
    const plus = 1 << low;
    /** One more bit for a coefficient that is not zero. */
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
        // Passes over `run` zeros, refining what is not zero on the way.
        for (; k <= to; k++) {
          const place = at + ZIGZAG[k]!;
          if (coefficients[place] !== 0) refine(place);
          else if (--run < 0) break;
        }
        if (value !== 0 && k <= to) coefficients[at + ZIGZAG[k]!] = value;
      }
    }
    if (endOfBandRun > 0) {
      for (; k <= to; k++) {
        const place = at + ZIGZAG[k]!;
        if (coefficients[place] !== 0) refine(place);
      }
      endOfBandRun -= 1;
    }
  };

  if (!progressive) return { decode: sequential, restart };
  if (from === 0) return { decode: high === 0 ? firstDc : refineDc, restart };
  return { decode: high === 0 ? firstAc : refineAc, restart };
}

/** Decodes a scan's blocks and returns the position of the marker behind it. */
function decodeScan(file: ImageBytes, at: number, frame: Frame, scan: Scan, restartInterval: number): number {
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
      decode(bits, only, (row * only.component.blocksAcross + column) * BLOCK);
      continue;
    }
    for (const item of scan.components) {
      const { h, v, blocksAcross } = item.component;
      for (let y = row * v; y < (row + 1) * v; y++) {
        for (let x = column * h; x < (column + 1) * h; x++)
          decode(bits, item, (y * blocksAcross + x) * BLOCK);
      }
    }
  }
  return bits.position;
}

function readFrame(file: ImageBytes, at: number, marker: number): Frame {
  if (marker > 0xc2)
    throw new ImageFormatError("arithmetic or lossless coding, which is not supported in this kind of JPEG");
  const height = file.u16(at + 5, false);
  const width = file.u16(at + 7, false);
  const count = file.u8(at + 9);
  const given = Array.from({ length: count }, (_, i) => {
    const sampling = file.u8(at + 11 + i * 3);
    const quantization = file.u8(at + 12 + i * 3) & 3;
    return { id: file.u8(at + 10 + i * 3), h: sampling >> 4, v: sampling & 15, quantization };
  });
  if (given.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4))
    throw new ImageFormatError("damaged sampling factors");
  const maxH = Math.max(...given.map(({ h }) => h));
  const maxV = Math.max(...given.map(({ v }) => v));
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
      coefficients: new Int16Array(blocksAcross * blocksDown * BLOCK),
      predictor: 0,
    };
  });
  return { progressive: marker === 0xc2, width, height, maxH, maxV, components };
}

/** Samples of one component: [height, width], in rows of `stride`. */
interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/** The inverse DCT's constants, times 2^13. */
const FIX = {
  c0_298631336: 2446,
  c0_390180644: 3196,
  c0_541196100: 4433,
  c0_765366865: 6270,
  c0_899976223: 7373,
  c1_175875602: 9633,
  c1_501321110: 12299,
  c1_847759065: 15137,
  c1_961570560: 16069,
  c2_053119869: 16819,
  c2_562915447: 20995,
  c3_072711026: 25172,
} as const;

/** One 8-point inverse DCT, in place, over items `step` apart; results are shifted right, rounded. */
function inverseDct8(data: Int32Array, at: number, step: number, shift: number): void {
  const s0 = data[at]!;
  const s1 = data[at + step]!;
  const s2 = data[at + step * 2]!;
  const s3 = data[at + step * 3]!;
  const s4 = data[at + step * 4]!;
  const s5 = data[at + step * 5]!;
  const s6 = data[at + step * 6]!;
  const s7 = data[at + step * 7]!;

  const even = Math.imul(s2 + s6, FIX.c0_541196100);
  const even2 = even - Math.imul(s6, FIX.c1_847759065);
  const even3 = even + Math.imul(s2, FIX.c0_765366865);
  const sum = (s0 + s4) << 13;
  const difference = (s0 - s4) << 13;
  const half = 1 << (shift - 1);
  const t0 = sum + even3 + half;
  const t3 = sum - even3 + half;
  const t1 = difference + even2 + half;
  const t2 = difference - even2 + half;

  const z5 = Math.imul(s7 + s3 + s5 + s1, FIX.c1_175875602);
  const z1 = -Math.imul(s7 + s1, FIX.c0_899976223);
  const z2 = -Math.imul(s5 + s3, FIX.c2_562915447);
  const z3 = z5 - Math.imul(s7 + s3, FIX.c1_961570560);
  const z4 = z5 - Math.imul(s5 + s1, FIX.c0_390180644);
  const odd0 = Math.imul(s7, FIX.c0_298631336) + z1 + z3;
  const odd1 = Math.imul(s5, FIX.c2_053119869) + z2 + z4;
  const odd2 = Math.imul(s3, FIX.c3_072711026) + z2 + z3;
  const odd3 = Math.imul(s1, FIX.c1_501321110) + z1 + z4;

  data[at] = (t0 + odd3) >> shift;
  data[at + step * 7] = (t0 - odd3) >> shift;
  data[at + step] = (t1 + odd2) >> shift;
  data[at + step * 6] = (t1 - odd2) >> shift;
  data[at + step * 2] = (t2 + odd1) >> shift;
  data[at + step * 5] = (t2 - odd1) >> shift;
  data[at + step * 3] = (t3 + odd0) >> shift;
  data[at + step * 4] = (t3 - odd0) >> shift;
}

function toSamples(component: Component, quantization: Int32Array): Plane {
  const { blocksAcross, blocksDown, coefficients } = component;
  const stride = blocksAcross * 8;
  const data = new Uint8ClampedArray(stride * blocksDown * 8);
  const block = new Int32Array(BLOCK);
  for (let y = 0; y < blocksDown; y++) {
    for (let x = 0; x < blocksAcross; x++) {
      const from = (y * blocksAcross + x) * BLOCK;
      for (let i = 0; i < BLOCK; i++) block[i] = coefficients[from + i]! * quantization[i]!;
      for (let i = 0; i < 8; i++) inverseDct8(block, i, 8, 11);
      for (let i = 0; i < 8; i++) inverseDct8(block, i * 8, 1, 18);
      for (let i = 0; i < 8; i++) {
        const to = (y * 8 + i) * stride + x * 8;
        for (let j = 0; j < 8; j++) data[to + j] = block[i * 8 + j]! + 128;
      }
    }
  }
  return { data: new Uint8Array(data.buffer), stride, width: component.width, height: component.height };
}

/** A plane at the frame's full size, which its last MCUs may exceed. */
function upsample(plane: Plane, stepX: number, stepY: number): Plane {
  if (stepX === 1 && stepY === 1) return plane;
  const smooth = plane.width > 2;
  if (stepX === 2 && stepY === 1 && smooth) return widen(plane);
  if (stepX === 1 && stepY === 2) return heighten(plane);
  if (stepX === 2 && stepY === 2 && smooth) return enlarge(plane);
  const wide = emptyPlane(plane, stepX, stepY);
  for (let y = 0; y < wide.height; y++) {
    const from = Math.floor(y / stepY) * plane.stride;
    for (let x = 0; x < wide.width; x++) {
      wide.data[y * wide.stride + x] = plane.data[from + Math.floor(x / stepX)]!;
    }
  }
  return wide;
}

function emptyPlane({ width, height }: Plane, stepX: number, stepY: number): Plane {
  const stride = width * stepX;
  return { data: new Uint8Array(stride * height * stepY), stride, width: stride, height: height * stepY };
}

/** Twice as wide: three quarters of the nearer sample, one of the farther; rounding alternates. */
function widen(plane: Plane): Plane {
  const wide = emptyPlane(plane, 2, 1);
  const { width, data } = plane;
  for (let y = 0; y < plane.height; y++) {
    const from = y * plane.stride;
    const to = y * wide.stride;
    for (let x = 0; x < width; x++) {
      const here = data[from + x]!;
      wide.data[to + 2 * x] = x === 0 ? here : (here * 3 + data[from + x - 1]! + 1) >> 2;
      wide.data[to + 2 * x + 1] = x === width - 1 ? here : (here * 3 + data[from + x + 1]! + 2) >> 2;
    }
  }
  return wide;
}

/** The row above (for the upper of two new rows) or below, or the same at the edge. */
function neighbourRow({ height, stride }: Plane, y: number): number {
  const neighbour = (y >> 1) + (y % 2 === 0 ? -1 : 1);
  return Math.min(Math.max(neighbour, 0), height - 1) * stride;
}

/** Twice as high. */
function heighten(plane: Plane): Plane {
  const high = emptyPlane(plane, 1, 2);
  for (let y = 0; y < high.height; y++) {
    const near = (y >> 1) * plane.stride;
    const far = neighbourRow(plane, y);
    const bias = y % 2 === 0 ? 1 : 2;
    for (let x = 0; x < plane.width; x++) {
      high.data[y * high.stride + x] = (plane.data[near + x]! * 3 + plane.data[far + x]! + bias) >> 2;
    }
  }
  return high;
}

/** Twice as wide and as high. */
function enlarge(plane: Plane): Plane {
  const large = emptyPlane(plane, 2, 2);
  const { width, data } = plane;
  for (let y = 0; y < large.height; y++) {
    const near = (y >> 1) * plane.stride;
    const far = neighbourRow(plane, y);
    const to = y * large.stride;
    const columnSum = (x: number) => data[near + x]! * 3 + data[far + x]!;
    for (let x = 0; x < width; x++) {
      const here = columnSum(x);
      const left = x === 0 ? here : columnSum(x - 1);
      const right = x === width - 1 ? here : columnSum(x + 1);
      large.data[to + 2 * x] = (here * 3 + left + 8) >> 4;
      large.data[to + 2 * x + 1] = (here * 3 + right + 7) >> 4;
    }
  }
  return large;
}

/** YCbCr to RGB, in place. */
function toRgbColours(samples: Uint8Array, stride: number): void {
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
export function decodeJpegHere(file: ImageBytes): DecodedImage {
  const quantization: Int32Array[] = [];
  const dcTables: HuffmanTable[] = [];
  const acTables: HuffmanTable[] = [];
  let frame: Frame | undefined;
  let restartInterval = 0;
  let jfif = false;
  let adobe: number | undefined;
  let at = 2;
  for (;;) {
    if (file.u8(at) !== 0xff || file.u8(at + 1) === 0xff || file.u8(at + 1) === 0) {
      at += 1;
      continue;
    }
    const marker = file.u8(at + 1);
    if (marker === 0xd9) break;
    if (marker >= 0xd0 && marker <= 0xd8) {
      at += 2;
      continue;
    }
    const length = file.u16(at + 2, false);
    const segment = file.slice(at + 4, Math.max(length - 2, 0));
    if (marker === 0xdb) readQuantization(segment, quantization);
    else if (marker === 0xc4) readHuffman(segment, dcTables, acTables);
    else if (marker === 0xdd) restartInterval = file.u16(at + 4, false);
    else if (marker === 0xee && file.ascii(at + 4, 5) === "Adobe") adobe = file.u8(at + 15);
    else if (marker === 0xe0 && file.ascii(at + 4, 4) === "JFIF") jfif = true;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc) {
      if (frame !== undefined) throw new ImageFormatError("a second frame");
      frame = readFrame(file, at, marker);
    } else if (marker === 0xda) {
      if (frame === undefined) throw new ImageFormatError("a scan before its frame header");
      const scan = readScan(segment, frame, dcTables, acTables);
      at = decodeScan(file, at + 2 + length, frame, scan, restartInterval);
      continue;
    }
    at += 2 + length;
  }
  if (frame === undefined) throw new ImageFormatError("no image data");
  const ids = frame.components.map(({ id }) => id);
  const samples = combine(frame, quantization);
  const { width, height } = frame;
  if (ids.length === 3) {
    const rgb = !jfif && (adobe === undefined ? String.fromCharCode(...ids) === "RGB" : adobe === 0);
    if (!rgb) toRgbColours(samples, 3);
    return { width, height, mode: "RGB", data: samples, stride: 3 };
  }
  // Inks are stored inverted. libjpeg turns YCCK's YCbCr to RGB and inverts that, so there the two cancel out.
  const ycck = adobe !== undefined && adobe !== 0;
  if (ycck) toRgbColours(samples, 4);
  for (let i = 0; i < samples.length; i++) {
    if (!ycck || i % 4 === 3) samples[i] = 255 - samples[i]!;
  }
  return { width, height, mode: "CMYK", data: samples, stride: 4 };
}

function readQuantization(segment: Uint8Array, tables: Int32Array[]): void {
  for (let at = 0; at < segment.length;) {
    const head = segment[at++]!;
    const bytes = head >> 4 === 0 ? 1 : 2;
    if (at + BLOCK * bytes > segment.length) throw new ImageFormatError("a damaged quantisation table");
    const table = new Int32Array(BLOCK);
    for (let k = 0; k < BLOCK; k++, at += bytes) {
      table[ZIGZAG[k]!] = bytes === 1 ? segment[at]! : (segment[at]! << 8) | segment[at + 1]!;
    }
    tables[head & 3] = table;
  }
}

function readHuffman(segment: Uint8Array, dcTables: HuffmanTable[], acTables: HuffmanTable[]): void {
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

function readScan(
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
    // A scan that refines needs one kind only; a table that is used and missing has no codes.
    return { component, dc: dcTables[tables >> 4] ?? NO_TABLE, ac: acTables[tables & 15] ?? NO_TABLE };
  });
  const [from, to, bits] = [segment[1 + 2 * count]!, segment[2 + 2 * count]!, segment[3 + 2 * count]!];
  if (frame.progressive && (to >= BLOCK || from > to)) throw new ImageFormatError("a damaged scan header");
  return { components, from, to, high: bits >> 4, low: bits & 15 };
}

/** All components at full size: [height, width, components]. */
function combine(frame: Frame, quantization: readonly Int32Array[]): Uint8Array {
  const { width, height, maxH, maxV, components } = frame;
  const bands = components.length;
  const samples = new Uint8Array(width * height * bands);
  for (const [band, component] of components.entries()) {
    const table = quantization[component.quantization];
    if (table === undefined) throw new ImageFormatError("no quantisation table");
    const [stepX, stepY] = [maxH / component.h, maxV / component.v];
    if (!Number.isInteger(stepX) || !Number.isInteger(stepY)) {
      throw new ImageFormatError("fractional sampling, which is not supported in this kind of JPEG");
    }
    const plane = upsample(toSamples(component, table), stepX, stepY);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++)
        samples[(y * width + x) * bands + band] = plane.data[y * plane.stride + x]!;
    }
  }
  return samples;
}
