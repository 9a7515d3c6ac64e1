/**
 * Streams tensors into a safetensors file. Each piece is read again and compared with the memory that it was written
 * from. Memory does not depend on the file's size.
 *
 * Three pieces are under way at once: one is read from the source, one is written, one is read again. What is written
 * goes to the disk meanwhile.
 */
import { open, type FileHandle } from "node:fs/promises";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { writeAll } from "../../lib/node/files/write-file.ts";
import { bytesPerElement } from "../../lib/tensor/dtype.ts";
import { roundFloats, type FloatDtype } from "../../lib/tensor/rounding.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { encodeHeader, SafetensorsFile, type TensorSpec } from "../../lib/tensor/safetensors.ts";
import { tensorInfo, type TensorStore } from "../../lib/tensor/store.ts";

/** Bytes of one read: a multiple of every element's size that fits the processor's cache. */
const chunkSize = 2 * 1024 * 1024;

/** Pieces that are in memory at once. */
const slots = 4;

/** Bytes after which the disk is asked to store what it has. */
const bytesPerSync = 64 * 1024 * 1024;

export interface Written {
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
 * Writes tensors of a store to a new file, in the order given, and brings it to the disk.
 *
 * @param onBytes called with the number of bytes written and compared since the last call
 * @throws InputError if the source is damaged, or the file does not hold what was written
 */
export async function writeWeights(
  path: string,
  store: TensorStore,
  tensors: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>>,
  onBytes: (count: number) => void,
): Promise<Written> {
  const file = await open(path, "wx+");
  try {
    const header = encodeHeader(tensors, metadata);
    await writeAll(file, header, 0);
    const syncs = new Syncs(file);
    const under: Promise<void>[] = [];
    let [position, overflowed, subnormal] = [header.length, 0, 0];
    for await (const { spec, rounded } of pieces(store, tensors)) {
      const { bytes } = rounded;
      const what = `${path}: the tensor ${spec.name}`;
      const writing = writeAndCompare(file, bytes, position, what).then(() => {
        onBytes(bytes.length);
      });
      writing.catch(() => undefined); // it is awaited below, after other pieces may have failed
      under.push(writing);
      if (under.length > slots - 2) await under.shift();
      position += bytes.length;
      overflowed += rounded.overflowed;
      subnormal += rounded.subnormal;
      syncs.afterBytes(bytes.length);
    }
    await Promise.all(under);
    await syncs.finish();
    await assertReadable(path, tensors);
    return { overflowed, subnormal };
  } finally {
    await file.close();
  }
}

/**
 * Writes bytes, and reads them again.
 *
 * @param what for the message
 * @throws InputError if the file does not hold the bytes afterwards
 */
export async function writeAndCompare(
  file: Pick<FileHandle, "write" | "read">,
  bytes: Uint8Array,
  position: number,
  what: string,
): Promise<void> {
  await writeAll(file, bytes, position);
  const found = Buffer.allocUnsafe(bytes.length);
  const { bytesRead } = await file.read(found, 0, found.length, position);
  if (bytesRead === bytes.length && found.equals(bytes)) return;
  throw new InputError(`${what} differs from what was written; check the disk`);
}

/** Syncs a file while it is written, one sync at a time, so that the last one has little left to do. */
class Syncs {
  readonly #file: FileHandle;
  #waiting = 0;
  #running: Promise<void> | undefined;
  #failure: unknown;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  afterBytes(count: number): void {
    this.#waiting += count;
    if (this.#waiting < bytesPerSync || this.#running !== undefined) return;
    this.#waiting = 0;
    this.#running = this.#file
      .datasync()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** @throws the first error of a sync: a later one may succeed although data are lost */
  async finish(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure as Error;
    await this.#file.sync();
  }
}

/** Reads the header as other programs do. @throws InputError if it does not list what was written */
async function assertReadable(path: string, tensors: readonly TensorSpec[]): Promise<void> {
  const store = await SafetensorsFile.open(await FileSource.open(path));
  try {
    const wrong = tensors.filter(({ name, dtype, shape }) => {
      const found = store.tensors.get(name);
      return found?.dtype !== dtype || found.shape.join() !== shape.join();
    });
    if (wrong.length === 0 && store.tensors.size === tensors.length) return;
    throw new InputError(
      `${path}: its header differs from what was written; check the disk`,
      wrong.map(({ name }) => name),
    );
  } finally {
    await store.close();
  }
}

interface Piece {
  readonly spec: TensorSpec;
  readonly rounded: ReturnType<typeof roundFloats>;
}

/**
 * The tensors' bytes in their new dtypes; reads one piece ahead. Buffers take turns, which saves gigabytes of
 * allocations: a piece is valid until {@link slots} - 1 more have been requested.
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
  const buffers = Array.from({ length: slots }, () => new Uint8Array(chunkSize));
  let turn = 0;
  for (const spec of tensors) {
    const { size } = tensorInfo(store, spec.name);
    for (let at = 0; at < size; at += chunkSize) {
      turn = (turn + 1) % slots;
      yield { spec, read: store.read(spec.name, at, Math.min(chunkSize, size - at), buffers[turn]) };
    }
  }
  return undefined;
}
