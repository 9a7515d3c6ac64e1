/**
 * The zip container, read by range: where the bytes of each member are in the file.
 *
 * Only members that are stored uncompressed can be read, as PyTorch writes them. Nothing is inflated, so an archive
 * cannot grow beyond its file.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3 (sections 4.3 and 4.5.3).
 */
import { InputError } from "../errors/input-error.ts";
import type { ByteSource } from "../tensor/store.ts";

/** A member of an archive, stored uncompressed. */
export interface ZipMember {
  /** Position of its first byte in the file. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  readonly crc32: number;
}

/** Limits for directories, which are read whole: a checkpoint has some thousand members with short names. */
const maxMembers = 100_000;
const maxDirectorySize = 64 * 1024 * 1024;

/**
 * Reads an archive's directory.
 *
 * @returns the members by name; null for those that are compressed or encrypted
 * @throws InputError if the archive is damaged, its members overlap, or a name is used twice or leads outside
 */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipMember | null>> {
  const directory = await findDirectory(source);
  const view = viewOf(await source.read(directory.offset, directory.size));
  const readAhead = new ReadAhead(source);
  const members = new Map<string, ZipMember | null>();
  const extents: { begin: number; end: number; name: string }[] = [];
  for (let at = 0, i = 0; i < directory.count; i++) {
    const entry = parseEntry(source, view, at);
    at = entry.next;
    const { name, size } = entry;
    if (members.has(name)) throw damaged(source, `two members are named "${name}"`);
    if (leadsOutside(name)) throw damaged(source, `the name "${name}" leads outside the archive`);
    const offset = await dataOffset(source, readAhead, entry);
    const end = offset + entry.compressedSize;
    if (end > directory.offset) {
      throw damaged(source, `"${name}" ends at byte ${end}, expected at most ${directory.offset}`);
    }
    extents.push({ begin: entry.headerOffset, end, name });
    if (entry.isStored && size !== entry.compressedSize) {
      throw damaged(source, `"${name}" is stored with ${entry.compressedSize} bytes, expected ${size}`);
    }
    members.set(name, entry.isStored ? { offset, size, crc32: entry.crc32 } : null);
  }
  // Readers disagree about members that share bytes, and such an archive can hold more than its file.
  extents.sort((a, b) => a.begin - b.begin);
  for (const [i, { begin, name }] of extents.entries()) {
    const before = extents[i - 1];
    if (before && begin < before.end) throw damaged(source, `"${before.name}" and "${name}" overlap`);
  }
  return members;
}

function damaged(source: ByteSource, reason: string): InputError {
  return new InputError(`${source.name}: a damaged zip file: ${reason}; download it again`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function leadsOutside(name: string): boolean {
  return /^([/\\]|[A-Za-z]:)/.test(name) || name.split(/[/\\]/).includes("..");
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** Size of the record at the end of an archive, without the comment that may follow. */
const endSize = 22;
const maxCommentSize = 0xffff;
const zip64LocatorSize = 20;
const zip64EndSize = 56;

/** Finds the directory by the record at the end of the file. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailSize = Math.min(source.size, endSize + maxCommentSize + zip64LocatorSize);
  const tailStart = source.size - tailSize;
  const tail = viewOf(await source.read(tailStart, tailSize));
  for (let at = tailSize - endSize; at >= 0 && at >= tailSize - endSize - maxCommentSize; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50) continue;
    // Otherwise the signature is a part of the comment.
    if (tail.getUint16(at + 20, true) !== tailSize - at - endSize) continue;
    const locator = at - zip64LocatorSize;
    const isZip64 = locator >= 0 && tail.getUint32(locator, true) === 0x07064b50;
    const directory = isZip64
      ? await readZip64End(source, Number(tail.getBigUint64(locator + 8, true)))
      : {
          count: tail.getUint16(at + 10, true),
          size: tail.getUint32(at + 12, true),
          offset: tail.getUint32(at + 16, true),
        };
    if (directory.count > maxMembers) throw damaged(source, `${directory.count} members`);
    if (directory.size > maxDirectorySize) throw damaged(source, `a directory of ${directory.size} bytes`);
    if (directory.offset + directory.size > tailStart + at) {
      throw damaged(source, `its directory ends at byte ${directory.offset + directory.size}`);
    }
    return directory;
  }
  throw damaged(source, "no directory at its end (cut short?)");
}

async function readZip64End(source: ByteSource, offset: number): Promise<Directory> {
  if (offset + zip64EndSize > source.size) throw damaged(source, `its end record is at byte ${offset}`);
  const view = viewOf(await source.read(offset, zip64EndSize));
  if (view.getUint32(0, true) !== 0x06064b50) throw damaged(source, `no end record at byte ${offset}`);
  return {
    count: Number(view.getBigUint64(32, true)),
    size: Number(view.getBigUint64(40, true)),
    offset: Number(view.getBigUint64(48, true)),
  };
}

interface Entry {
  readonly name: string;
  /** Neither compressed nor encrypted. */
  readonly isStored: boolean;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Position of the member's own header in the file. */
  readonly headerOffset: number;
  /** Position of the next entry in the directory. */
  readonly next: number;
}

const entrySize = 46;

function parseEntry(source: ByteSource, view: DataView, at: number): Entry {
  if (at + entrySize > view.byteLength || view.getUint32(at, true) !== 0x02014b50) {
    throw damaged(source, `no entry at byte ${at} of its directory`);
  }
  const flags = view.getUint16(at + 8, true);
  const extraStart = at + entrySize + view.getUint16(at + 28, true);
  const extraEnd = extraStart + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > view.byteLength) throw damaged(source, `the entry at byte ${at} of its directory is cut short`);
  const nameBytes = new Uint8Array(
    view.buffer,
    view.byteOffset + at + entrySize,
    extraStart - at - entrySize,
  );
  const [size, compressedSize, headerOffset] = widened(source, view, extraStart, extraEnd, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]);
  return {
    name: new TextDecoder().decode(nameBytes),
    isStored: view.getUint16(at + 10, true) === 0 && (flags & 1) === 0,
    crc32: view.getUint32(at + 16, true),
    compressedSize,
    size,
    headerOffset,
    next,
  };
}

type Sizes = [size: number, compressedSize: number, headerOffset: number];

/** Numbers that do not fit into 32 bits are all ones there, and follow in this order in the zip64 extra field. */
function widened(source: ByteSource, view: DataView, start: number, end: number, sizes: Sizes): Sizes {
  if (!sizes.includes(0xffffffff)) return sizes;
  for (let at = start; at + 4 <= end;) {
    const fieldEnd = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && fieldEnd <= end) {
      let value = at + 4;
      return sizes.map((size) => {
        if (size !== 0xffffffff) return size;
        if (value + 8 > fieldEnd) throw damaged(source, "a zip64 field is cut short");
        value += 8;
        return Number(view.getBigUint64(value - 8, true));
      }) as Sizes;
    }
    at = fieldEnd;
  }
  return sizes;
}

const headerSize = 30;

/** Where a member's bytes begin: behind its own header, whose name and extra fields may differ from the directory's. */
async function dataOffset(
  source: ByteSource,
  readAhead: ReadAhead,
  { name, headerOffset }: Entry,
): Promise<number> {
  if (headerOffset + headerSize > source.size) {
    throw damaged(source, `the header of "${name}" is at byte ${headerOffset}`);
  }
  const view = viewOf(await readAhead.read(headerOffset, headerSize));
  if (view.getUint32(0, true) !== 0x04034b50) throw damaged(source, `no header of "${name}"`);
  return headerOffset + headerSize + view.getUint16(26, true) + view.getUint16(28, true);
}

/** Small members follow one another: one read serves for several headers. */
class ReadAhead {
  readonly #source: ByteSource;
  #bytes: Uint8Array = new Uint8Array();
  #start = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const at = offset - this.#start;
    if (at >= 0 && at + length <= this.#bytes.length) return this.#bytes.subarray(at, at + length);
    this.#bytes = await this.#source.read(offset, Math.min(65536, this.#source.size - offset));
    this.#start = offset;
    return this.#bytes.subarray(0, length);
  }
}
