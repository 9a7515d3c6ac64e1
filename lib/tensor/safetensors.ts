/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
 *
 * Only the header is read on opening; each tensor is read by range when it is asked for, so that files of any
 * size serve. Validation follows the format's specification (github.com/huggingface/safetensors, README and
 * `safetensors/src/tensor.rs`): header of at most 100 MB, an object, unique names, known dtypes, offsets that
 * leave neither gaps nor overlaps, sizes that match shapes, and a file that ends where its last tensor ends.
 */
import { bytesPerElement, elementCount, isDtype, toFloat32, toIntegers, type Dtype } from "./dtype.ts";
import { InputError } from "../errors/input-error.ts";

/** Bytes at offsets: a file, a part of an archive, a buffer. */
export interface ByteSource {
  /** Shown in errors: the file's path. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes.
   *
   * @param reused memory that the result may be a view of, for whoever reads gigabytes: at least `length` bytes
   */
  read(offset: number, length: number, reused?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
  /** The open file's descriptor, where it is one. */
  readonly descriptor?: number;
}

/** A file that can also be read while a forward pass runs, which does not wait. */
export interface SyncByteSource extends ByteSource {
  /** Reads exactly `length` bytes. */
  readSync(offset: number, length: number): Uint8Array;
}

export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Position in the source, in bytes from the source's beginning. */
  readonly offset: number;
  /** Size in bytes. */
  readonly size: number;
}

/** Where bytes lie in an open file. */
export interface FilePlace {
  readonly descriptor: number;
  readonly offset: number;
}

/** Named tensors that are read when asked for: one safetensors file, several shards, a PyTorch archive. */
export interface TensorStore {
  /** Shown in errors: the file's path. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Reads a tensor's stored bytes, or `length` of them from the byte `start` of the tensor.
   *
   * @param reused memory that the result may be a view of: at least as many bytes
   */
  read(name: string, start?: number, length?: number, reused?: Uint8Array): Promise<Uint8Array>;
  /** Where a tensor's bytes lie, if they lie as they are in a file. */
  place?(name: string): FilePlace | undefined;
  close(): Promise<void>;
}

/** The format's own limit for the JSON header, in bytes. */
const maxHeaderSize = 100_000_000;

/** A safetensors file with its header read and validated. */
export class SafetensorsFile implements TensorStore {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #source: ByteSource;

  private constructor(source: ByteSource, header: Header) {
    this.#source = source;
    this.name = source.name;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
  }

  /** @throws InputError if the file is no valid safetensors file; the source is closed then. */
  static async open(source: ByteSource): Promise<SafetensorsFile> {
    try {
      return new SafetensorsFile(source, await readHeader(source));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async read(name: string, start = 0, length?: number, reused?: Uint8Array): Promise<Uint8Array> {
    const info = tensorInfo(this, name);
    return this.#source.read(info.offset + start, length ?? info.size - start, reused);
  }

  place(name: string): FilePlace | undefined {
    const { descriptor } = this.#source;
    return descriptor === undefined ? undefined : { descriptor, offset: tensorInfo(this, name).offset };
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** What is known of a tensor. @throws InputError if the store has none of that name. */
export function tensorInfo(store: TensorStore, name: string): TensorInfo {
  const info = store.tensors.get(name);
  if (!info) throw new InputError(`${store.name}: no tensor "${name}" among its ${store.tensors.size}`);
  return info;
}

/** Reads a whole tensor, widened or rounded to float32. */
export async function readFloat32(store: TensorStore, name: string): Promise<Float32Array> {
  return toFloat32(tensorInfo(store, name).dtype, await store.read(name));
}

/** Reads a whole tensor of integers. */
export async function readIntegers(store: TensorStore, name: string): Promise<number[]> {
  return toIntegers(tensorInfo(store, name).dtype, await store.read(name));
}

interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

async function readHeader(source: ByteSource): Promise<Header> {
  const invalid = (found: string): InputError =>
    new InputError(`${source.name}: not a valid safetensors file: ${found}; download or convert it again`);

  if (source.size < 8) throw invalid(`expected at least 8 bytes, found ${source.size}`);
  const prefix = await source.read(0, 8);
  const headerSize = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (headerSize > maxHeaderSize) {
    throw invalid(
      `its first 8 bytes announce a header of ${headerSize} bytes, the limit is ${maxHeaderSize}`,
    );
  }
  const dataStart = 8 + headerSize;
  if (dataStart > source.size) {
    throw invalid(`the header ends at byte ${dataStart}, beyond the file's ${source.size} bytes`);
  }
  const text = decodeUtf8(await source.read(8, headerSize), invalid);
  if (!text.startsWith("{")) throw invalid(`the header does not begin with "{"`);
  const header = parseJson(text, invalid);

  let metadata: Record<string, string> = {};
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isObject(entry)) throw invalid(`"__metadata__" is no object`);
      const texts = Object.entries(entry).map(([key, value]): [string, string] => {
        if (typeof value !== "string") throw invalid(`the metadata "${key}" is no string`);
        return [key, value];
      });
      metadata = Object.fromEntries(texts);
    } else {
      tensors.set(name, parseEntry(name, entry, dataStart, invalid));
    }
  }

  // Sorted by position the tensors must fill the rest of the file exactly.
  let end = dataStart;
  for (const [name, info] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.size - b.size)) {
    if (info.offset !== end) {
      throw invalid(
        `tensor "${name}" begins at byte ${info.offset - dataStart} of the data, expected ${end - dataStart}` +
          ` (${info.offset < end ? "an overlap" : "a gap"})`,
      );
    }
    end = info.offset + info.size;
  }
  if (end !== source.size) {
    throw invalid(
      `its tensors end at byte ${end}, the file at byte ${source.size}` +
        (end > source.size ? " (cut short?)" : ""),
    );
  }
  return { tensors, metadata };
}

type Invalid = (found: string) => InputError;

function parseEntry(name: string, entry: unknown, dataStart: number, invalid: Invalid): TensorInfo {
  if (!isObject(entry)) throw invalid(`the entry of tensor "${name}" is no object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = entry;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw invalid(`tensor "${name}" has an unknown field "${unknown}"`);
  if (!isDtype(dtype)) throw invalid(`tensor "${name}" has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!isSizes(shape)) throw invalid(`tensor "${name}" has no valid shape: ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw invalid(`tensor "${name}" has no valid data_offsets: ${JSON.stringify(offsets)}`);
  }
  const [begin = 0, end = 0] = offsets;
  const size = elementCount(shape) * bytesPerElement[dtype];
  if (!Number.isSafeInteger(size))
    throw invalid(`tensor "${name}" is too large: shape [${shape.join(", ")}]`);
  if (end - begin !== size) {
    throw invalid(
      `tensor "${name}" has ${end - begin} bytes, expected ${size} for ${dtype} [${shape.join(", ")}]`,
    );
  }
  return { dtype, shape, offset: dataStart + begin, size };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && Number(size) >= 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodeUtf8(bytes: Uint8Array, invalid: Invalid): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid("the header is no UTF-8");
  }
}

function parseJson(text: string, invalid: Invalid): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`the header is no JSON (${(error as Error).message})`);
  }
  if (!isObject(value)) throw invalid("the header is no JSON object");
  const duplicate = firstDuplicateKey(text);
  if (duplicate !== undefined) throw invalid(`two tensors are named "${duplicate}"`);
  return value;
}

/**
 * The first key that an object in valid JSON text has twice, which JSON.parse would pass over.
 * One walk over strings and brackets: in valid JSON a string is a key where a colon follows it.
 */
function firstDuplicateKey(text: string): string | undefined {
  const keys: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{") keys.push(new Set());
    else if (character === "}") keys.pop();
    else if (character === '"') {
      const start = i++;
      while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
      if (!colonFollows(text, i + 1)) continue;
      const key = JSON.parse(text.slice(start, i + 1)) as string;
      if (keys.at(-1)?.has(key)) return key;
      keys.at(-1)?.add(key);
    }
  }
  return undefined;
}

function colonFollows(text: string, position: number): boolean {
  while (/\s/.test(text[position] ?? "")) position++;
  return text[position] === ":";
}

/** A tensor to be written. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * The beginning of a safetensors file: everything before the tensors' bytes, which must follow in the order given.
 *
 * The header is filled up with spaces so that the data begin at a multiple of 8 bytes; whoever puts wider dtypes
 * first keeps every tensor aligned.
 * @throws InputError for a name given twice.
 */
export function encodeHeader(
  tensors: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(["__metadata__", metadata]);
  const names = new Set(["__metadata__"]);
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    if (names.has(name)) throw new InputError(`a safetensors file cannot hold two tensors named "${name}"`);
    names.add(name);
    const begin = end;
    end += elementCount(shape) * bytesPerElement[dtype];
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  // Not an object: its keys that look like integers would lose their place.
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const bytes = new TextEncoder().encode(json);
  const header = new Uint8Array(8 + Math.ceil(bytes.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(bytes, 8);
  return header;
}

/** A whole safetensors file in memory, for files that fit there. @throws InputError where bytes and shape differ. */
export function encodeSafetensors(
  tensors: readonly (TensorSpec & { readonly bytes: Uint8Array })[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort((a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]);
  for (const { name, dtype, shape, bytes } of sorted) {
    const expected = elementCount(shape) * bytesPerElement[dtype];
    if (bytes.length !== expected) {
      throw new InputError(
        `tensor "${name}": expected ${expected} bytes for its shape, found ${bytes.length}`,
      );
    }
  }
  const parts = [encodeHeader(sorted, metadata), ...sorted.map(({ bytes }) => bytes)];
  const file = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}
