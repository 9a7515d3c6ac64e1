/** Where tensors come from: bytes at offsets, and named tensors in them. */
import { toFloat32, toIntegers, type Dtype } from "./dtype.ts";
import { InputError } from "../errors/input-error.ts";

/** Bytes at offsets: a file, a part of an archive, a buffer. */
export interface ByteSource {
  /** The file's path, for errors. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * Reads exactly `length` bytes.
   *
   * @param reused memory of at least `length` bytes that the result may be a view of; saves allocations where gigabytes
   *   are read
   */
  read(offset: number, length: number, reused?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
  /** The descriptor, if the source is an open file. */
  readonly descriptor?: number;
}

/** A source that can also be read during a forward pass, which is synchronous. */
export interface SyncByteSource extends ByteSource {
  /** Reads exactly `length` bytes. */
  readSync(offset: number, length: number): Uint8Array;
}

/** A tensor's dtype, shape and place in a file. */
export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Position in bytes from the beginning of the source. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** Where bytes are in an open file. */
export interface FilePlace {
  readonly descriptor: number;
  readonly offset: number;
}

/** Named tensors that are read on demand: one safetensors file, several shards, a PyTorch archive. */
export interface TensorStore {
  /** The file's path, for errors. */
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Reads a tensor's stored bytes, or `length` of them from the byte `start` of the tensor.
   *
   * @param reused memory of at least as many bytes that the result may be a view of
   */
  read(name: string, start?: number, length?: number, reused?: Uint8Array): Promise<Uint8Array>;
  /** Where a tensor's bytes are in a file, if they are stored there unchanged. */
  place?(name: string): FilePlace | undefined;
  close(): Promise<void>;
}

/** A tensor's dtype, shape and position. @throws InputError if the store has no tensor of that name */
export function tensorInfo(store: TensorStore, name: string): TensorInfo {
  const info = store.tensors.get(name);
  if (!info) throw new InputError(`${store.name}: no tensor "${name}" among its ${store.tensors.size}`);
  return info;
}

/** Reads a whole tensor, widened or rounded to float32. @throws InputError for a dtype that is not floating-point */
export async function readFloat32(store: TensorStore, name: string): Promise<Float32Array> {
  return toFloat32(tensorInfo(store, name).dtype, await store.read(name));
}

/** Reads a whole tensor of integers. @throws InputError as `toIntegers` */
export async function readIntegers(store: TensorStore, name: string): Promise<number[]> {
  return toIntegers(tensorInfo(store, name).dtype, await store.read(name));
}
