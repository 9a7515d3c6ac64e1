/**
 * Writes a zip archive of uncompressed members, part by part: a member's checksum follows its bytes. Members begin at
 * multiples of 64 bytes, as PyTorch aligns them.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3 (sections 4.3 and 4.5.3); caffe2/serialize/inline_container.cc (padding).
 */
import type { Crc32 } from "../tensor/crc32.ts";

export interface NewMember {
  readonly name: string;
  /** In bytes, below 4 GiB. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const alignment = 64;
/** The identifier of PyTorch's extra field of padding. */
const paddingField = 0x4246;
/** A checksum follows the bytes; names are UTF-8. */
const flags = 0x0808;
const version = 45; // zip64
const largest = 0xffffffff;

interface Entry {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

/** The bytes of an archive. @throws Error for a member whose content has another size */
export async function* zipParts(
  members: Iterable<NewMember>,
  crc32: Crc32,
): AsyncGenerator<Uint8Array, void, undefined> {
  const entries: Entry[] = [];
  let position = 0;
  for (const { name: text, size, content } of members) {
    if (size >= largest) throw new Error(`${text}: ${size} bytes, expected less than ${largest}`);
    const name = new TextEncoder().encode(text);
    const header = localHeader(name, size, position);
    yield header;
    let crc = 0;
    let written = 0;
    for await (const part of content) {
      crc = crc32(part, crc);
      written += part.length;
      yield part;
    }
    if (written !== size) throw new Error(`${text}: ${written} bytes, expected ${size}`);
    yield fields([4, 0x08074b50], [4, crc], [4, size], [4, size]);
    entries.push({ name, size, crc, offset: position });
    position += header.length + size + 16;
  }
  const directory = entries.map(directoryEntry);
  yield* directory;
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  yield directoryEnd(entries.length, size, position);
}

function localHeader(name: Uint8Array, size: number, position: number): Uint8Array {
  const unpadded = position + 30 + name.length + 4;
  const padding = (alignment - (unpadded % alignment)) % alignment;
  return joined(
    fields([4, 0x04034b50], [2, version], [2, flags], [2, 0], [4, 0], [4, 0], [4, size], [4, size]),
    fields([2, name.length], [2, padding + 4]),
    name,
    fields([2, paddingField], [2, padding]),
    new Uint8Array(padding),
  );
}

function directoryEntry({ name, size, crc, offset }: Entry): Uint8Array {
  const isFar = offset >= largest;
  return joined(
    fields(
      [4, 0x02014b50],
      [2, version],
      [2, version],
      [2, flags],
      [2, 0],
      [4, 0],
      [4, crc],
      [4, size],
      [4, size],
    ),
    fields(
      [2, name.length],
      [2, isFar ? 12 : 0],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, 0],
      [4, isFar ? largest : offset],
    ),
    name,
    isFar ? fields([2, 1], [2, 8], [8, offset]) : new Uint8Array(),
  );
}

/** The records at the end, with those of zip64 in any case. */
function directoryEnd(count: number, size: number, offset: number): Uint8Array {
  const at = offset + size;
  return joined(
    fields([4, 0x06064b50], [8, 44], [2, version], [2, version], [4, 0], [4, 0], [8, count], [8, count]),
    fields([8, size], [8, offset]),
    fields([4, 0x07064b50], [4, 0], [8, at], [4, 1]),
    fields([4, 0x06054b50], [2, 0], [2, 0], [2, Math.min(count, 0xffff)], [2, Math.min(count, 0xffff)]),
    fields([4, Math.min(size, largest)], [4, Math.min(offset, largest)], [2, 0]),
  );
}

/** Little-endian numbers: the bytes of each, and its value. */
function fields(...numbers: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of numbers) {
    if (bytes === 8) view.setBigUint64(at, BigInt(value), true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
