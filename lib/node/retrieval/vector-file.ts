/** Files of vectors (`.npy`): their headers, and reading of rows. */
import { InputError } from "../../errors/input-error.ts";
import { bytesPerElement, toFloat32 } from "../../tensor/dtype.ts";
import { decodeNpyHeader, npyHeadBytes } from "../../tensor/npy-header.ts";
import { FileSource } from "../files/file-source.ts";

/** A matrix of vectors in a file: row r begins at `offset + r * width * bytes of the dtype`. */
export interface VectorFile {
  readonly path: string;
  /** Little-endian, in C order. */
  readonly dtype: "F16" | "F32";
  /** Where the first row begins, in bytes. */
  readonly offset: number;
  readonly rows: number;
  readonly width: number;
}

const dtypes: Readonly<Record<string, VectorFile["dtype"]>> = { "<f2": "F16", "<f4": "F32" };

/** Bytes of one row. */
export function rowBytes({ dtype, width }: VectorFile): number {
  return width * bytesPerElement[dtype];
}

/** @throws InputError if the file is not a matrix of float16 or float32, or has another length than its header says */
export async function readVectorFile(path: string): Promise<VectorFile> {
  const file = await FileSource.open(path);
  try {
    const head = await file.read(0, Math.min(npyHeadBytes, file.size));
    const { descr, shape, fortranOrder, offset } = decodeNpyHeader(head, path);
    const dtype = Object.hasOwn(dtypes, descr) ? dtypes[descr] : undefined;
    const [rows = 0, width = 0] = shape;
    if (dtype === undefined || fortranOrder || shape.length !== 2) {
      const found = `${descr} of shape (${shape.join(", ")})${fortranOrder ? " in Fortran order" : ""}`;
      throw new InputError(`${path}: expected a matrix of <f2 or <f4 in C order, found ${found}`);
    }
    const vectors = { path, dtype, offset, rows, width };
    const size = offset + rows * rowBytes(vectors);
    if (file.size === size) return vectors;
    throw new InputError(
      `${path}: expected ${size} bytes for ${rows} rows of ${width} numbers, found ${file.size}; write it again`,
    );
  } finally {
    await file.close();
  }
}

/** Reads rows of one file into a matrix, at the places given. */
export function readRowsInto(
  file: FileSource,
  vectors: VectorFile,
  rows: readonly { readonly row: number; readonly to: number }[],
  into: Float32Array,
): void {
  const bytes = rowBytes(vectors);
  // Synchronous: a read of 2 kB from the page cache is ten times faster than a turn of the event loop.
  for (const { row, to } of rows) {
    into.set(
      toFloat32(vectors.dtype, file.readSync(vectors.offset + row * bytes, bytes)),
      to * vectors.width,
    );
  }
}

/** The rows of a file in order, as float32, up to `most` at a time. Memory is reused by the next block. */
export async function* rowBlocks(
  vectors: VectorFile,
  most: number,
): AsyncGenerator<{ readonly start: number; readonly values: Float32Array }, void, undefined> {
  const file = await FileSource.open(vectors.path);
  const bytes = rowBytes(vectors);
  const reused = new Uint8Array(Math.min(most, Math.max(1, vectors.rows)) * bytes);
  try {
    for (let start = 0; start < vectors.rows; start += most) {
      const rows = Math.min(most, vectors.rows - start);
      const block = await file.read(vectors.offset + start * bytes, rows * bytes, reused);
      yield { start, values: toFloat32(vectors.dtype, block) };
    }
  } finally {
    await file.close();
  }
}
