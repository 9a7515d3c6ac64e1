/** The file cannot be decoded. The message says what was found; the caller adds the file's name. */
export class ImageFormatError extends Error {
  override readonly name = "ImageFormatError";
}

/** The file is of a kind that is not decoded. The message names it. */
export class UnsupportedImageError extends ImageFormatError {}

/** The image exceeds one of the limits of limits.ts. The message says what was expected and found. */
export class ImageLimitError extends Error {
  override readonly name = "ImageLimitError";
}

/** Reads a file's bytes by position. Reading past the end throws the error of a truncated file. */
export class ImageBytes {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.length = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    this.#need(at, 1);
    return this.#view.getUint8(at);
  }

  u16(at: number, littleEndian: boolean): number {
    this.#need(at, 2);
    return this.#view.getUint16(at, littleEndian);
  }

  u32(at: number, littleEndian: boolean): number {
    this.#need(at, 4);
    return this.#view.getUint32(at, littleEndian);
  }

  /** A view, not a copy. */
  slice(at: number, length: number): Uint8Array {
    this.#need(at, length);
    return this.bytes.subarray(at, at + length);
  }

  /** The characters at a position, fewer at the end of the file. Compares signatures, so it does not throw. */
  ascii(at: number, length: number): string {
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  #need(at: number, length: number): void {
    if (at + length > this.length) throw truncated(this.length);
  }
}

/** The error for a file of `length` bytes that ends too early. */
export function truncated(length: number): ImageFormatError {
  return new ImageFormatError(`a truncated file, which ends after ${length} bytes`);
}

/** Unpacks values of 1, 2 or 4 bits, most significant first, and multiplies each by `factor`. */
export function unpackBits(
  source: Uint8Array,
  from: number,
  bits: number,
  count: number,
  factor: number,
  target: { [index: number]: number },
  to: number,
  step = 1,
): void {
  const mask = (1 << bits) - 1;
  for (let i = 0; i < count; i++) {
    const bit = i * bits;
    target[to + i * step] = ((source[from + (bit >> 3)]! >> (8 - bits - (bit & 7))) & mask) * factor;
  }
}

/** A palette of 256 colours, [256, 3]. Entries that the file lacks are black. */
export function paletteOf(colours: Uint8Array): Uint8Array {
  const palette = new Uint8Array(768);
  palette.set(colours.subarray(0, 768));
  return palette;
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
