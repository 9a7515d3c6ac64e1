/**
 * PyTorch files: the zip format (since 1.6), TorchScript archives, and the legacy format.
 *
 * A zip holds `NAME/data.pkl`, the objects, and a member `NAME/data/KEY` for each storage, uncompressed; beside them
 * `byteorder`, `.format_version`, `.storage_alignment`, `.data/serialization_id` and `version`. A TorchScript archive
 * is the same with code, and a module instead of a dictionary in `data.pkl`.
 *
 * A legacy file is five pickles (magic number, version, system, objects, keys of storages) and then the storages one
 * after another, each with its number of elements in front. Numbers are little-endian whatever the system was.
 *
 * Source: torch/serialization.py (_save, _load, _legacy_save, _legacy_load), caffe2/serialize/inline_container.cc,
 * torch/csrc/serialization.cpp.
 */
import { bytesPerElement } from "../tensor/dtype.ts";
import { InputError } from "../errors/input-error.ts";
import type { Crc32 } from "../tensor/crc32.ts";
import type { ByteSource } from "../tensor/store.ts";
import { PickleCutShort, unpickle, type PickleHost, type Unpickled } from "./pickle.ts";
import { Storage, TorchHost } from "./torch-objects.ts";
import { readZipDirectory, type ZipMember } from "./zip.ts";

/** Bytes of storages, wherever they lie. */
export interface Storages {
  readonly isBigEndian: boolean;
  /** Position of a storage's first byte in the file. @throws InputError if the file does not hold it whole */
  locate(storage: Storage): number;
  /** Bytes of what is stored under a key. */
  sizeOf(key: string): number;
  /** Reads `length` bytes from the byte `start` of what is stored under a key. */
  read(key: string, start: number, length: number, reused?: Uint8Array): Promise<Uint8Array>;
  /** Checks all bytes of a key against its checksum, if it has one and that has not been done. @throws InputError */
  verify(key: string): Promise<void>;
}

export interface TorchFile {
  readonly format: "zip" | "torchscript" | "legacy";
  /** The pickled object. */
  readonly root: unknown;
  readonly storages: Storages;
}

/** Objects may take as much memory as the file has bytes, and this. */
const smallConstant = 64 * 1024 * 1024;

/** A checkpoint's objects take some hundred kilobytes; a pickle is read whole. */
const largestPickle = 1024 ** 3;

/**
 * Whether a file is one of PyTorch's, by its first bytes: a zip or a pickle. A safetensors file may begin with any byte,
 * its header's length; the header follows.
 */
export async function isTorchFile(source: ByteSource): Promise<boolean> {
  const head = await source.read(0, Math.min(9, source.size));
  if (head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0)) return false;
  return isZip(head) || head[0] === 0x80 || (await isTar(source));
}

/** Reads a PyTorch file's objects; tensors' bytes stay where they are. @throws InputError if it is none, or damaged */
export async function readTorchFile(source: ByteSource, crc32: Crc32): Promise<TorchFile> {
  const head = await source.read(0, Math.min(4, source.size));
  if (isZip(head)) return readTorchZip(source, crc32);
  if (head[0] === 0x80) return readLegacy(source);
  if (await isTar(source)) {
    throw new InputError(
      `${source.name}: the tar format of PyTorch 0.1; load it in Python and save it again with torch.save`,
    );
  }
  throw new InputError(`${source.name}: no PyTorch file: expected a zip archive or a pickle`);
}

function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

async function isTar(source: ByteSource): Promise<boolean> {
  if (source.size < 512) return false;
  return new TextDecoder("latin1").decode(await source.read(257, 5)) === "ustar";
}

function tooLarge(source: ByteSource, size: number): InputError {
  return new InputError(`${source.name}: a pickle of ${size} bytes, expected ${largestPickle} at most`);
}

async function readTorchZip(source: ByteSource, crc32: Crc32): Promise<TorchFile> {
  const members = await readZipDirectory(source);
  const pickle = [...members.keys()].find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickle === undefined) {
    throw new InputError(`${source.name}: a zip file, but not PyTorch's: no data.pkl in its folder`);
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const storages = new ZipStorages(
    source,
    members,
    folder,
    await isBigEndian(source, members, folder),
    crc32,
  );
  const bytes = await storages.readWhole(pickle);
  const { value } = unpickle(source.name, bytes, new TorchHost(source.name), source.size + smallConstant);
  const format = members.has(`${folder}constants.pkl`) ? "torchscript" : "zip";
  return { format, root: value, storages };
}

async function isBigEndian(
  source: ByteSource,
  members: ReadonlyMap<string, ZipMember | null>,
  folder: string,
): Promise<boolean> {
  const member = members.get(`${folder}byteorder`);
  if (!member) return false;
  const order = new TextDecoder("latin1").decode(await source.read(member.offset, Math.min(member.size, 16)));
  if (order === "little" || order === "big") return order === "big";
  throw new InputError(
    `${source.name}: expected the byte order little or big, found ${JSON.stringify(order)}`,
  );
}

/** Read at once while a checksum is made. */
const chunkSize = 4 * 1024 * 1024;

class ZipStorages implements Storages {
  readonly isBigEndian: boolean;
  readonly #source: ByteSource;
  readonly #members: ReadonlyMap<string, ZipMember | null>;
  readonly #folder: string;
  readonly #crc32: Crc32;
  /** How far each member has been read from its beginning without a gap, and the checksum so far. */
  readonly #progress = new Map<string, { readonly end: number; readonly crc: number }>();

  constructor(
    source: ByteSource,
    members: ReadonlyMap<string, ZipMember | null>,
    folder: string,
    isBigEndian: boolean,
    crc32: Crc32,
  ) {
    this.#source = source;
    this.#crc32 = crc32;
    this.#members = members;
    this.#folder = folder;
    this.isBigEndian = isBigEndian;
  }

  locate({ key, start, size }: Storage): number {
    const member = this.#member(this.#nameOf(key));
    if (start + size > member.size) {
      throw new InputError(
        `${this.#source.name}: expected ${start + size} bytes in ${this.#nameOf(key)}, found ${member.size}; download it again`,
      );
    }
    return member.offset + start;
  }

  sizeOf(key: string): number {
    return this.#member(this.#nameOf(key)).size;
  }

  /** Reading a member from its beginning to its end, in any pieces, checks it. */
  async read(key: string, start: number, length: number, reused?: Uint8Array): Promise<Uint8Array> {
    const name = this.#nameOf(key);
    const bytes = await this.#source.read(this.#member(name).offset + start, length, reused);
    this.#count(name, start, bytes);
    return bytes;
  }

  async verify(key: string): Promise<void> {
    const { size } = this.#member(this.#nameOf(key));
    for (;;) {
      const start = this.#progress.get(this.#nameOf(key))?.end ?? 0;
      if (start === size) return;
      await this.read(key, start, Math.min(chunkSize, size - start));
    }
  }

  /** @throws InputError if the member is not there, compressed or damaged */
  async readWhole(name: string): Promise<Uint8Array> {
    const { offset, size } = this.#member(name);
    if (size > largestPickle) throw tooLarge(this.#source, size);
    const bytes = await this.#source.read(offset, size);
    this.#count(name, 0, bytes);
    return bytes;
  }

  #count(name: string, start: number, bytes: Uint8Array): void {
    const { end, crc } = this.#progress.get(name) ?? { end: 0, crc: 0 };
    if (start !== end || bytes.length === 0) return;
    const member = this.#member(name);
    const now = { end: end + bytes.length, crc: this.#crc32(bytes, crc) };
    this.#progress.set(name, now);
    if (now.end !== member.size || now.crc === member.crc32) return;
    this.#progress.delete(name);
    throw new InputError(
      `${this.#source.name}: ${name} is damaged (its checksum is wrong); download it again`,
    );
  }

  #nameOf(key: string): string {
    return `${this.#folder}data/${key}`;
  }

  #member(name: string): ZipMember {
    const member = this.#members.get(name);
    if (member) return member;
    throw new InputError(
      `${this.#source.name}: ${name} is ${member === null ? "compressed or encrypted; save it with torch.save" : "missing; download it again"}`,
    );
  }
}

const magicNumber = 0x1950a86a20f9469cfc6cn;
const legacyVersion = 1001;

async function readLegacy(source: ByteSource): Promise<TorchFile> {
  const pickles = new PickleSequence(source);
  const nothing: PickleHost = {
    call: () => undefined,
    persistent: () => {
      throw new InputError(`${source.name}: a reference outside the objects`);
    },
  };
  const magic = await pickles.next(nothing);
  if (magic !== magicNumber) {
    throw new InputError(`${source.name}: a pickle, but not PyTorch's: expected a file of torch.save`);
  }
  const version = await pickles.next(nothing);
  if (version !== legacyVersion) {
    throw new InputError(
      `${source.name}: expected version ${legacyVersion} of the legacy format, found ${String(version)}`,
    );
  }
  await pickles.next(nothing); // sizes of the system's integers: nothing depends on them
  const host = new LegacyHost(source.name);
  const root = await pickles.next(host);
  const keys = await pickles.next(nothing);
  return { format: "legacy", root, storages: await LegacyStorages.read(source, keys, host, pickles.end) };
}

/** Pickles one after another, of which nobody knows the length beforehand. */
class PickleSequence {
  end = 0;
  readonly #source: ByteSource;
  #bytes: Uint8Array = new Uint8Array();
  /** Where `bytes` begin in the file. */
  #start = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Reads more and more of the file until the pickle is in it. */
  async next(host: PickleHost): Promise<unknown> {
    for (let length = 65536; ; length *= 4) {
      try {
        const { value, end } = this.#unpickle(host);
        this.end = this.#start + end;
        return value;
      } catch (error) {
        const rest = this.#source.size - this.end;
        if (!(error instanceof PickleCutShort) || this.#start + this.#bytes.length >= this.#source.size)
          throw error;
        if (length > largestPickle) throw tooLarge(this.#source, rest);
        this.#bytes = await this.#source.read(this.end, Math.min(length, rest));
        this.#start = this.end;
      }
    }
  }

  #unpickle(host: PickleHost): Unpickled {
    const { name, size } = this.#source;
    return unpickle(name, this.#bytes, host, size + smallConstant, this.end - this.#start);
  }
}

/** Notes the size of the elements of each storage, which the file does not say again in front of their bytes. */
class LegacyHost extends TorchHost {
  readonly elementSizes = new Map<string, number>();

  override persistent(id: unknown): unknown {
    const value = super.persistent(id);
    if (value instanceof Storage) this.elementSizes.set(value.key, bytesPerElement[value.dtype]);
    return value;
  }
}

class LegacyStorages implements Storages {
  readonly isBigEndian = false;
  readonly #source: ByteSource;
  readonly #members: ReadonlyMap<string, { readonly offset: number; readonly size: number }>;

  private constructor(source: ByteSource, members: ReadonlyMap<string, { offset: number; size: number }>) {
    this.#source = source;
    this.#members = members;
  }

  static async read(
    source: ByteSource,
    keys: unknown,
    { elementSizes }: LegacyHost,
    offset: number,
  ): Promise<LegacyStorages> {
    if (!Array.isArray(keys))
      throw new InputError(`${source.name}: expected a list of storages; download it again`);
    const members = new Map<string, { offset: number; size: number }>();
    for (const key of keys.map(String)) {
      const element = elementSizes.get(key);
      if (element === undefined) throw new InputError(`${source.name}: nothing uses the storage ${key}`);
      const cutShort = new InputError(`${source.name}: cut short in storage ${key}; download it again`);
      if (offset + 8 > source.size) throw cutShort;
      const head = await source.read(offset, 8);
      const count = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true));
      const size = count * element;
      offset += 8;
      if (offset + size > source.size) throw cutShort;
      members.set(key, { offset, size });
      offset += size;
    }
    return new LegacyStorages(source, members);
  }

  locate({ key, start, size }: Storage): number {
    const member = this.#members.get(key);
    if (!member || start + size > member.size) {
      throw new InputError(`${this.#source.name}: the storage ${key} is not whole; download it again`);
    }
    return member.offset + start;
  }

  sizeOf(key: string): number {
    return this.#members.get(key)?.size ?? 0;
  }

  read(key: string, start: number, length: number, reused?: Uint8Array): Promise<Uint8Array> {
    return this.#source.read((this.#members.get(key)?.offset ?? 0) + start, length, reused);
  }

  /** The format has no checksums. */
  verify(): Promise<void> {
    return Promise.resolve();
  }
}
