/**
 * Streams tensors into a safetensors file and verifies it. Memory does not depend on the file's size.
 *
 * While a piece is written, its checksum is computed and the next one is read.
 */
import { open } from "node:fs/promises";
import { crc32 } from "../../lib/node/files/crc32.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { writeAll } from "../../lib/node/files/write-file.ts";
import { bytesPerElement } from "../../lib/tensor/dtype.ts";
import { roundFloats, type FloatDtype } from "../../lib/tensor/rounding.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { encodeHeader, SafetensorsFile, type TensorSpec } from "../../lib/tensor/safetensors.ts";
import { tensorInfo, type TensorStore } from "../../lib/tensor/store.ts";

/** Bytes of one read: a multiple of every element's size that fits the processor's cache. */
const chunkSize = 1024 * 1024;

export interface Written {
  /** The CRC-32 of each tensor's bytes, computed before they were written. */
  readonly checksums: ReadonlyMap<string, number>;
  readonly overflowed: number;
  readonly subnormal: number;
}

/** The tensors of the new file: wider dtypes first, which keeps every tensor aligned, else in the order given. */
export function planWeights(
  store: TensorStore,
  names: readonly string[],
  dtype: FloatDtype | undefined,
): readonly TensorSpec[] {
  return names
    .map((name) => {
      const { shape, dtype: stored } = tensorInfo(store, name);
      return { name, shape, dtype: dtype ?? stored };
    })
    .sort((a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]);
}

/**
 * Writes tensors of a store to a new file, in the order given. The file is not synced to the disk.
 *
 * @param onBytes called with the number of bytes written since the last call
 * @throws InputError if the source is damaged
 */
export async function writeWeights(
  path: string,
  store: TensorStore,
  tensors: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>>,
  onBytes: (count: number) => void,
): Promise<Written> {
  const file = await open(path, "wx");
  try {
    const checksums = new Map<string, number>();
    let [overflowed, subnormal] = [0, 0];
    await writeAll(file, encodeHeader(tensors, metadata));
    for await (const { spec, rounded } of pieces(store, tensors)) {
      const writing = writeAll(file, rounded.bytes);
      checksums.set(spec.name, crc32(rounded.bytes, checksums.get(spec.name) ?? 0));
      overflowed += rounded.overflowed;
      subnormal += rounded.subnormal;
      await writing;
      onBytes(rounded.bytes.length);
    }
    return { checksums, overflowed, subnormal };
  } finally {
    await file.close();
  }
}

interface Piece {
  readonly spec: TensorSpec;
  readonly rounded: ReturnType<typeof roundFloats>;
}

/**
 * The tensors' bytes in their new dtypes; reads one piece ahead. A piece is valid until the next one is requested: two
 * buffers alternate, which saves gigabytes of allocations.
 */
async function* pieces(store: TensorStore, tensors: readonly TensorSpec[]): AsyncGenerator<Piece> {
  const steps = reads(store, tensors);
  let next = steps.next();
  while (!next.done) {
    const { spec, read } = next.value;
    const bytes = await read;
    next = steps.next();
    // Prevents an unhandled rejection if the consumer fails before this read is awaited.
    if (!next.done) next.value.read.catch(() => undefined);
    const { dtype } = tensorInfo(store, spec.name);
    const asIs = { bytes, overflowed: 0, subnormal: 0 };
    yield {
      spec,
      rounded: dtype === spec.dtype ? asIs : roundFloats(dtype, spec.dtype as FloatDtype, bytes),
    };
  }
}

/** Starts one read per step. */
function* reads(
  store: TensorStore,
  tensors: readonly TensorSpec[],
): Generator<{ spec: TensorSpec; read: Promise<Uint8Array> }, undefined> {
  const buffers = [new Uint8Array(chunkSize), new Uint8Array(chunkSize)];
  let turn = 0;
  for (const spec of tensors) {
    const { size } = tensorInfo(store, spec.name);
    for (let at = 0; at < size; at += chunkSize) {
      turn = 1 - turn;
      yield { spec, read: store.read(spec.name, at, Math.min(chunkSize, size - at), buffers[turn]) };
    }
  }
  return undefined;
}

/**
 * Reads the written file and compares every tensor's checksum.
 *
 * @throws InputError with the tensors whose bytes differ from what was written
 */
export async function checkWeights(
  path: string,
  checksums: ReadonlyMap<string, number>,
  onBytes: (count: number) => void,
): Promise<void> {
  const store = await SafetensorsFile.open(await FileSource.open(path));
  try {
    const found = new Map<string, number>();
    const tensors = [...store.tensors].map(([name, info]) => ({ ...info, name }));
    tensors.sort((a, b) => a.offset - b.offset);
    for await (const { spec, rounded } of pieces(store, tensors)) {
      found.set(spec.name, crc32(rounded.bytes, found.get(spec.name) ?? 0));
      onBytes(rounded.bytes.length);
    }
    const wrong = [...checksums].filter(([name, crc]) => found.get(name) !== crc).map(([name]) => name);
    if (wrong.length > 0) {
      throw new InputError(
        `${path}: ${wrong.length} tensors differ from what was written; check the disk`,
        wrong,
      );
    }
  } finally {
    await store.close();
  }
}
