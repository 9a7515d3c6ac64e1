/**
 * PyTorch files: the zip format (since 1.6), TorchScript archives, and the legacy format.
 *
 * A zip file holds the objects in `NAME/data.pkl` and each storage, uncompressed, in `NAME/data/KEY`; also `byteorder`,
 * `.format_version`, `.storage_alignment`, `.data/serialization_id` and `version`. A TorchScript archive also holds code,
 * and its `data.pkl` a module instead of a dictionary.
 *
 * A legacy file consists of five pickles (magic number, version, system, objects, keys of storages) and the storages,
 * each preceded by its number of elements. Its numbers are little-endian on every system.
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

/** Access to the bytes of storages. */
export interface Storages {
  readonly isBigEndian: boolean;
  /** Position of a storage's first byte in the file. @throws InputError if the storage is missing or cut short */
  locate(storage: Storage): number;
  /** The size of what is stored under a key, in bytes. */
  sizeOf(key: string): number;
  /** Reads `length` bytes from the byte `start` of what is stored under a key. */
  read(key: string, start: number, length: number, reused?: Uint8Array): Promise<Uint8Array>;
  /** Verifies the checksum of a key's bytes, if there is one, once. @throws InputError if it does not match */
  verify(key: string): Promise<void>;
}

export interface TorchFile {
  readonly format: "zip" | "torchscript" | "legacy";
  /** The pickled object. */
  readonly root: unknown;
  readonly storages: Storages;
}

/** Objects may take as many bytes of memory as the file has, and these in addition. */
const memoryAllowance = 64 * 1024 * 1024;

/** Limit for a pickle, which is read whole; a checkpoint's has some hundred kilobytes. */
const maxPickleSize = 1024 ** 3;

/**
 * Whether a file is a PyTorch file, by its first bytes: a zip file, a pickle or a tar file. A safetensors file begins
 * with its header's length, which may look like any of these; its header begins with "{" at byte 8.
 */
export async function isTorchFile(source: ByteSource): Promise<boolean> {
  const head = await source.read(0, Math.min(9, source.size));
  if (head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0)) return false;
  return isZip(head) || head[0] === 0x80 || (await isTar(source));
}

/** Reads the objects of a PyTorch file, but no tensor's bytes. @throws InputError if it is another file, or damaged */
export async function readTorchFile(source: ByteSource, crc32: Crc32): Promise<TorchFile> {
  const head = await source.read(0, Math.min(4, source.size));
  if (isZip(head)) return readTorchZip(source, crc32);
  if (head[0] === 0x80) return readLegacy(source);
  if (await isTar(source)) {
    throw new InputError(
      `${source.name}: the tar format of PyTorch 0.1 is not supported; load it in Python and re-save it with torch.save`,
    );
  }
  throw new InputError(`${source.name}: not a PyTorch file; expected a zip file or a pickle`);
}

function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

async function isTar(source: ByteSource): Promise<boolean> {
  if (source.size < 512) return false;
  return new TextDecoder("latin1").decode(await source.read(257, 5)) === "ustar";
}

function tooLarge(source: ByteSource, size: number): InputError {
  return new InputError(`${source.name}: the pickle has ${size} bytes, expected at most ${maxPickleSize}`);
}

async function readTorchZip(source: ByteSource, crc32: Crc32): Promise<TorchFile> {
  const members = await readZipDirectory(source);
  const pickle = [...members.keys()].find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickle === undefined) {
    throw new InputError(`${source.name}: not a PyTorch file; expected NAME/data.pkl in the zip file`);
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
  const { value } = unpickle(source.name, bytes, new TorchHost(source.name), source.size + memoryAllowance);
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

/** Bytes of one read while a checksum is computed. */
const chunkSize = 4 * 1024 * 1024;

class ZipStorages implements Storages {
  readonly isBigEndian: boolean;
  readonly #source: ByteSource;
  readonly #members: ReadonlyMap<string, ZipMember | null>;
  readonly #folder: string;
  readonly #crc32: Crc32;
  /** For each member: how many bytes have been read in order, and their checksum. */
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

  /** Verifies the checksum once a member has been read in order from beginning to end. */
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

  /** @throws InputError if the member is missing, compressed or damaged */
  async readWhole(name: string): Promise<Uint8Array> {
    const { offset, size } = this.#member(name);
    if (size > maxPickleSize) throw tooLarge(this.#source, size);
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
      `${this.#source.name}: ${name} is damaged (its checksum does not match); download the file again`,
    );
  }

  #nameOf(key: string): string {
    return `${this.#folder}data/${key}`;
  }

  #member(name: string): ZipMember {
    const member = this.#members.get(name);
    if (member) return member;
    throw new InputError(
      `${this.#source.name}: ${name} is ${member === null ? "compressed or encrypted; re-save the checkpoint with torch.save" : "missing; download the file again"}`,
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
      throw new InputError(`${source.name}: unexpected reference to a storage; download it again`);
    },
  };
  const magic = await pickles.next(nothing);
  if (magic !== magicNumber) {
    throw new InputError(`${source.name}: not a PyTorch file; expected a pickle that torch.save wrote`);
  }
  const version = await pickles.next(nothing);
  if (version !== legacyVersion) {
    throw new InputError(
      `${source.name}: expected version ${legacyVersion} of the legacy format, found ${String(version)}`,
    );
  }
  await pickles.next(nothing); // sizes of the system's integers, which the format does not depend on
  const host = new LegacyHost(source.name);
  const root = await pickles.next(host);
  const keys = await pickles.next(nothing);
  return { format: "legacy", root, storages: await LegacyStorages.read(source, keys, host, pickles.end) };
}

/** Consecutive pickles. Their lengths are not stored. */
class PickleSequence {
  end = 0;
  readonly #source: ByteSource;
  #bytes: Uint8Array = new Uint8Array();
  /** Position of `bytes` in the file. */
  #start = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Reads more of the file until the pickle is complete. */
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
        if (length > maxPickleSize) throw tooLarge(this.#source, rest);
        this.#bytes = await this.#source.read(this.end, Math.min(length, rest));
        this.#start = this.end;
      }
    }
  }

  #unpickle(host: PickleHost): Unpickled {
    const { name, size } = this.#source;
    return unpickle(name, this.#bytes, host, size + memoryAllowance, this.end - this.#start);
  }
}

/** Collects the element size of each storage, which is not stored with its bytes. */
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
      throw new InputError(
        `${source.name}: expected the list of storages, found another object; download it again`,
      );
    const members = new Map<string, { offset: number; size: number }>();
    for (const key of keys.map(String)) {
      const element = elementSizes.get(key);
      if (element === undefined)
        throw new InputError(`${source.name}: no tensor uses the storage ${key}; download it again`);
      const cutShort = new InputError(
        `${source.name}: the file ends within storage ${key}; download it again`,
      );
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
      throw new InputError(`${this.#source.name}: the storage ${key} is cut short; download it again`);
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
