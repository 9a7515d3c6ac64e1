/**
 * The zip container, read by range: where each member's bytes lie in the file.
 *
 * yauzl reads the directory (zip64, names, extra fields); members' bytes are then read straight from the source.
 * PyTorch stores tensors uncompressed, and only such members can be read: there is nothing to inflate here, so no
 * archive is larger than its file.
 */
import { Readable } from "node:stream";
import yauzl from "yauzl";
import { InputError } from "../errors/input-error.ts";
import type { ByteSource } from "../tensor/store.ts";

/** A member of an archive, stored uncompressed. */
export interface ZipMember {
  /** First byte in the file. */
  readonly offset: number;
  readonly size: number;
  readonly crc32: number;
}

/** A directory larger than this is no checkpoint's: each entry costs memory before anything is known of it. */
const mostMembers = 100_000;

/**
 * Reads an archive's directory.
 *
 * @returns the members by name; null for those that are compressed or encrypted
 * @throws InputError if the archive is damaged, its members overlap, or a name is used twice or leads outside
 */
export async function readZipDirectory(source: ByteSource): Promise<Map<string, ZipMember | null>> {
  try {
    return await readMembers(source);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damaged(source, reason, error);
  }
}

function damaged(source: ByteSource, reason: string, cause?: unknown): InputError {
  return new InputError(`${source.name}: a damaged zip file: ${reason}; download it again`, [], { cause });
}

async function readMembers(source: ByteSource): Promise<Map<string, ZipMember | null>> {
  const zip = await yauzl.fromRandomAccessReaderPromise(new SourceReader(source), source.size, {
    autoClose: false,
  });
  if (zip.entryCount > mostMembers) throw damaged(source, `${zip.entryCount} members`);
  const members = new Map<string, ZipMember | null>();
  const extents: { begin: number; end: number; name: string }[] = [];
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName;
    if (members.has(name)) throw damaged(source, `two members are named "${name}"`);
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    const end = fileDataStart + entry.compressedSize;
    if (end > source.size) throw damaged(source, `"${name}" ends at byte ${end}, the file at ${source.size}`);
    extents.push({ begin: entry.relativeOffsetOfLocalHeader, end, name });
    const isStored = entry.compressionMethod === 0 && !entry.isEncrypted();
    members.set(
      name,
      isStored ? { offset: fileDataStart, size: entry.uncompressedSize, crc32: entry.crc32 } : null,
    );
  }
  // Bytes that serve several members make an archive look larger than it is, and different to different readers.
  extents.sort((a, b) => a.begin - b.begin);
  for (const [i, { begin, name }] of extents.entries()) {
    const before = extents[i - 1];
    if (before && begin < before.end) throw damaged(source, `"${before.name}" and "${name}" overlap`);
  }
  return members;
}

/** yauzl asks for headers of some 50 bytes one by one: read more at once. */
const windowSize = 65536;

class SourceReader extends yauzl.RandomAccessReader {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array();
  #windowAt = 0;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#read(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null);
      },
      (error: unknown) => {
        callback(error as Error);
      },
    );
  }

  async #read(position: number, length: number): Promise<Uint8Array> {
    if (position < 0 || position + length > this.#source.size) {
      throw damaged(this.#source, `its directory points to byte ${position} of ${this.#source.size}`);
    }
    const at = position - this.#windowAt;
    if (at < 0 || at + length > this.#window.length) {
      const size = Math.min(Math.max(length, windowSize), this.#source.size - position);
      this.#window = await this.#source.read(position, size);
      this.#windowAt = position;
      return this.#window.subarray(0, length);
    }
    return this.#window.subarray(at, at + length);
  }

  /** For members' streams, which are not used here. */
  override _readStreamForRange(): Readable {
    return Readable.from([]);
  }

  /** The source belongs to whoever opened it. */
  override close(callback: (error: Error | null) => void): void {
    callback(null);
  }
}
