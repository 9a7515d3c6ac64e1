/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
 *
 * Only the header is read on opening. A tensor is read from its byte range on demand, so files can be larger than the
 * memory.
 *
 * Source: github.com/huggingface/safetensors, README and safetensors/src/tensor.rs. As there, the header is at most
 * 100 MB, an object with unique names; dtypes are known; tensors fill the file without gaps or overlaps, and their sizes
 * match their shapes.
 */
import { bytesPerElement, elementCount, isDtype, type Dtype } from "./dtype.ts";
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { tensorInfo, type ByteSource, type FilePlace, type TensorInfo, type TensorStore } from "./store.ts";

/** The format's limit for the JSON header, in bytes. Readers refuse longer headers. */
export const maxHeaderSize = 100_000_000;

/** A safetensors file whose header is read and validated. */
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

  /** @throws InputError if the file is not valid; the source is then closed */
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

interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
}

async function readHeader(source: ByteSource): Promise<Header> {
  const where = `${source.name}: not a valid safetensors file`;
  const fix = "download or convert it again";
  const invalid = (found: string): InputError => new InputError(`${where}: ${found}; ${fix}`);

  if (source.size < 8) throw invalid(`expected at least 8 bytes, found ${source.size}`);
  const prefix = await source.read(0, 8);
  const headerSize = Number(new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true));
  if (headerSize > maxHeaderSize) {
    throw invalid(`its first 8 bytes declare a header of ${headerSize} bytes, the limit is ${maxHeaderSize}`);
  }
  const dataStart = 8 + headerSize;
  if (dataStart > source.size) {
    throw invalid(`the header ends at byte ${dataStart}, beyond the file's ${source.size} bytes`);
  }
  const json = await source.read(8, headerSize);
  // The JSON parser would accept blanks and a byte order mark here, which the format does not.
  if (json[0] !== 0x7b) throw invalid(`its header does not begin with "{"`);
  const header = JsonValue.parse(json, where, { fix, uniqueKeys: true });

  let metadata: Record<string, string> = {};
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of header.entries()) {
    if (name === "__metadata__") {
      metadata = Object.fromEntries(entry.entries().map(([key, value]) => [key, value.string()]));
    } else tensors.set(name, parseEntry(entry, dataStart));
  }

  // Sorted by position, the tensors must fill the rest of the file exactly.
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

function parseEntry(entry: JsonValue, dataStart: number): TensorInfo {
  const dtype = entry.at("dtype").value;
  if (!isDtype(dtype)) throw entry.at("dtype").error(`one of ${Object.keys(bytesPerElement).join(", ")}`);
  const shape = entry.at("shape").integers(0);
  const offsets = entry.at("data_offsets").integers(0);
  entry.expectAllRead();
  const [begin, end, ...rest] = offsets;
  if (begin === undefined || end === undefined || rest.length > 0) {
    throw entry.at("data_offsets").error("[begin, end]");
  }
  const size = elementCount(shape) * bytesPerElement[dtype];
  if (!Number.isSafeInteger(size)) throw entry.at("shape").error("less than 2^53 bytes");
  if (end - begin !== size) {
    throw entry.at("data_offsets").error(`${size} bytes apart, for ${dtype} [${shape.join(", ")}]`);
  }
  return { dtype, shape, offset: dataStart + begin, size };
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
 * The header is padded with spaces so that the data begin at a multiple of 8 bytes. Every tensor is aligned if the wider
 * dtypes come first.
 *
 * @throws InputError for a name given twice, or a header beyond the format's limit, which could not be read again
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
  // Not JSON.stringify of an object: it would move keys that look like integers to the front.
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const bytes = new TextEncoder().encode(json);
  const header = new Uint8Array(8 + Math.ceil(bytes.length / 8) * 8).fill(0x20);
  if (header.length - 8 > maxHeaderSize) {
    throw new InputError(
      `a safetensors header of ${header.length - 8} bytes (${names.size - 1} tensors, and metadata) cannot be written, ` +
        `the format's limit is ${maxHeaderSize}; shorten the metadata`,
    );
  }
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(bytes, 8);
  return header;
}

/** A whole safetensors file in memory. @throws InputError if a tensor's bytes do not match its shape */
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
