import { ImageFormatError } from "./bytes.ts";

const maximumCodes = 4096;

/** The differences between the LZW of GIF and of TIFF. */
export interface LzwKind {
  /** Bits of a literal. The clear code is 2^bits, the end code 2^bits + 1. */
  readonly literalBits: number;
  /** GIF fills bytes from the least significant bit, TIFF from the most significant. */
  readonly leastSignificantFirst: boolean;
  /** TIFF widens codes one code earlier than GIF. */
  readonly early: boolean;
}

/**
 * Decodes LZW until the stream ends or the target is full.
 *
 * @returns the number of bytes written to `target`
 * @throws ImageFormatError if a code is not in the table yet
 * Source: CompuServe, GIF89a Specification, appendix F; Adobe, TIFF 6.0, section 13
 */
export function decodeLzw(source: Uint8Array, target: Uint8Array, kind: LzwKind): number {
  const clear = 1 << kind.literalBits;
  const end = clear + 1;
  const early = kind.early ? 1 : 0;
  // The string of a code is the string of its prefix code plus one byte.
  const prefix = new Uint16Array(maximumCodes);
  const suffix = new Uint8Array(maximumCodes);
  const length = new Uint16Array(maximumCodes);
  for (let code = 0; code < clear; code++) {
    suffix[code] = code;
    length[code] = 1;
  }

  let width = kind.literalBits + 1;
  let next = clear + 2;
  let previous = -1;
  let buffer = 0;
  let buffered = 0;
  let at = 0;
  let written = 0;
  while (written < target.length) {
    while (buffered < width && at < source.length) {
      const byte = source[at++]!;
      buffer = kind.leastSignificantFirst ? buffer | (byte << buffered) : ((buffer & 0xffff) << 8) | byte;
      buffered += 8;
    }
    if (buffered < width) return written;
    const mask = (1 << width) - 1;
    const code = kind.leastSignificantFirst ? buffer & mask : (buffer >> (buffered - width)) & mask;
    if (kind.leastSignificantFirst) buffer >>>= width;
    buffered -= width;

    if (code === clear) {
      width = kind.literalBits + 1;
      next = clear + 2;
      previous = -1;
      continue;
    }
    if (code === end) return written;
    if (code > next || (previous < 0 && code > clear) || (code === next && next >= maximumCodes)) {
      throw new ImageFormatError("damaged compressed data");
    }
    // A code that is not defined yet is the previous string plus the first byte of that string.
    const known = code < next ? code : previous;
    const size = length[known]!;
    let walk = known;
    for (let i = written + size - 1; i >= written; i--) {
      if (i < target.length) target[i] = suffix[walk]!;
      walk = prefix[walk]!;
    }
    let firstByte = known;
    while (length[firstByte]! > 1) firstByte = prefix[firstByte]!;
    const first = suffix[firstByte]!;
    written += size;
    if (code === next) {
      if (written < target.length) target[written] = first;
      written += 1;
    }
    if (previous >= 0 && next < maximumCodes) {
      prefix[next] = previous;
      suffix[next] = first;
      length[next] = length[previous]! + 1;
      next += 1;
      if (next + early > mask && width < 12) width += 1;
    }
    previous = code;
  }
  return target.length;
}
