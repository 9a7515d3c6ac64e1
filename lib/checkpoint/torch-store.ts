/**
 * The tensors of a PyTorch file as a TensorStore: little-endian bytes in row-major order, whatever the file's layout.
 *
 * A contiguous tensor is read as it is. Others (transposed, sliced, expanded) are gathered: their elements are split into
 * boxes whose bytes are close together, and each box is read with one read.
 */
import { bytesPerElement, type Dtype } from "../tensor/dtype.ts";
import { InputError } from "../errors/input-error.ts";
import { tensorInfo, type ByteSource, type TensorInfo, type TensorStore } from "../tensor/store.ts";
import type { Storages, TorchFile } from "./torch-file.ts";
import type { TorchTensor } from "./torch-objects.ts";

/** Bytes that a tensor may have beyond the file's size: an expanded tensor repeats its elements. */
const expansionAllowance = 16 * 1024 * 1024;

/** The tensors of a PyTorch file, read on demand. */
export class TorchStore implements TensorStore {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata = {};
  readonly #source: ByteSource;
  readonly #storages: Storages;
  readonly #views: ReadonlyMap<string, TorchTensor>;

  /** @throws InputError if a tensor's storage is not in the file, or a tensor is much larger than the file */
  constructor(source: ByteSource, { storages }: TorchFile, views: ReadonlyMap<string, TorchTensor>) {
    this.name = source.name;
    this.#source = source;
    this.#storages = storages;
    this.#views = views;
    const tensors = new Map<string, TensorInfo>();
    for (const [name, { storage, dtype, shape, start, size }] of views) {
      if (size > source.size + expansionAllowance) {
        throw new InputError(`${source.name}: "${name}" [${shape.join(", ")}] is larger than the file`);
      }
      tensors.set(name, { dtype, shape, offset: storages.locate(storage) + start, size });
    }
    this.tensors = tensors;
  }

  async read(name: string, start = 0, length?: number, reused?: Uint8Array): Promise<Uint8Array> {
    const { size, dtype } = tensorInfo(this, name);
    const view = this.#views.get(name)!;
    const end = start + (length ?? size - start);
    if (start < 0 || end > size)
      throw new InputError(`${this.name}: expected bytes ${start} to ${end} of "${name}", found ${size}`);
    if (end === start) return new Uint8Array();
    const { storage } = view;
    const isWhole =
      view.isContiguous &&
      view.start === 0 &&
      storage.start === 0 &&
      size === this.#storages.sizeOf(storage.key);
    // Reading a whole storage verifies its checksum. Reading a part does not, so the storage is verified first.
    if (!isWhole) await this.#storages.verify(storage.key);
    if (view.isContiguous && !this.#storages.isBigEndian) {
      return this.#storages.read(storage.key, storage.start + view.start + start, end - start, reused);
    }
    // Bytes must be swapped or elements gathered, which takes whole elements.
    const element = bytesPerElement[dtype];
    const first = Math.floor(start / element);
    const count = Math.ceil(end / element) - first;
    const bytes = view.isContiguous
      ? await this.#storages.read(storage.key, storage.start + view.start + first * element, count * element)
      : await gather(this.#storages, view, first, count);
    if (this.#storages.isBigEndian) swapBytes(bytes, dtype);
    return bytes.subarray(start - first * element, end - first * element);
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}

/** Turns big-endian numbers into little-endian ones. A complex number consists of two. */
function swapBytes(bytes: Uint8Array, dtype: Dtype): void {
  const width = dtype === "C64" ? 4 : bytesPerElement[dtype];
  for (let at = 0; width > 1 && at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** A box of elements: its first position, and its extent along each dimension. */
interface Box {
  readonly begin: readonly number[];
  readonly extent: readonly number[];
}

/** Reads the elements `first` to `first + count` of a tensor, in row-major order. */
async function gather(
  storages: Storages,
  view: TorchTensor,
  first: number,
  count: number,
): Promise<Uint8Array> {
  const element = bytesPerElement[view.dtype];
  const out = new Uint8Array(count * element);
  for (const box of boxesOf(view.shape, first, count)) {
    for (const piece of closeTogether(view, box)) await readBox(storages, view, piece, first, out);
  }
  return out;
}

/** Splits consecutive elements into boxes: in each dimension the end of a row, whole rows, the beginning of a row. */
function* boxesOf(shape: readonly number[], first: number, count: number): Generator<Box> {
  const rowOf = shape.map((_, d) => shape.slice(d + 1).reduce((product, size) => product * size, 1));
  const end = first + count;
  while (first < end) {
    // The outermost dimension of which a whole row begins here and ends before `end`.
    let d = 0;
    while (first % rowOf[d]! !== 0 || first + rowOf[d]! > end) d++;
    const row = rowOf[d]!;
    const index = Math.floor(first / row) % shape[d]!;
    const rows = Math.min(shape[d]! - index, Math.floor((end - first) / row));
    yield {
      begin: shape.map((size, i) => (i <= d ? Math.floor(first / rowOf[i]!) % size : 0)),
      extent: shape.map((size, i) => (i < d ? 1 : i === d ? rows : size)),
    };
    first += rows * row;
  }
}

/** Bytes of one read, at most. */
const largestSpan = 32 * 1024 * 1024;
/** Bytes below which splitting a read is slower than reading some that are not needed. */
const smallestSpan = 64 * 1024;

/** Splits a box until few unneeded bytes lie between its first and its last element. */
function* closeTogether(view: TorchTensor, box: Box): Generator<Box> {
  const pending = [box];
  for (let piece = pending.pop(); piece; piece = pending.pop()) {
    const { begin, extent } = piece;
    const span = spanOf(view, extent);
    const wanted = extent.reduce((product, size) => product * size, bytesPerElement[view.dtype]);
    if (span <= smallestSpan || (span <= largestSpan && span <= 8 * wanted)) {
      yield piece;
      continue;
    }
    const reach = extent.map((size, d) => (size - 1) * view.strides[d]!);
    const widest = reach.indexOf(Math.max(...reach));
    const half = Math.ceil(extent[widest]! / 2);
    pending.push(
      {
        begin: begin.with(widest, begin[widest]! + half),
        extent: extent.with(widest, extent[widest]! - half),
      },
      { begin, extent: extent.with(widest, half) },
    );
  }
}

/** Bytes from a box's first element to its last. */
function spanOf(view: TorchTensor, extent: readonly number[]): number {
  const elements = extent.reduce((sum, size, d) => sum + (size - 1) * view.strides[d]!, 1);
  return elements * bytesPerElement[view.dtype];
}

/** Reads a box and copies its elements to their places in `out`, which begins with the element `first`. */
async function readBox(
  storages: Storages,
  view: TorchTensor,
  { begin, extent }: Box,
  first: number,
  out: Uint8Array,
): Promise<void> {
  const { storage, shape, strides, dtype, start } = view;
  const element = bytesPerElement[dtype];
  const source = begin.reduce((sum, at, d) => sum + at * strides[d]!, 0) * element;
  const bytes = await storages.read(storage.key, storage.start + start + source, spanOf(view, extent));
  const rowOf = shape.map((_, d) => shape.slice(d + 1).reduce((product, size) => product * size, 1));
  const target = begin.reduce((sum, at, d) => sum + at * rowOf[d]!, -first);

  // A loop over the innermost dimension; the outer ones count like the digits of a number.
  const inner = shape.length - 1;
  const digits = extent.map(() => 0);
  const rows = extent.slice(0, inner).reduce((product, size) => product * size, 1);
  for (let row = 0; row < rows; row++) {
    let from = digits.reduce((sum, at, d) => sum + at * strides[d]!, 0) * element;
    let to = (digits.reduce((sum, at, d) => sum + at * rowOf[d]!, 0) + target) * element;
    for (let i = 0; i < extent[inner]!; i++) {
      for (let byte = 0; byte < element; byte++) out[to + byte] = bytes[from + byte]!;
      from += strides[inner]! * element;
      to += element;
    }
    for (let d = inner - 1; d >= 0; d--) {
      digits[d] = digits[d]! + 1;
      if (digits[d]! < extent[d]!) break;
      digits[d] = 0;
    }
  }
}
