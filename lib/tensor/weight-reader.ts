/**
 * A backend's own way to read a weight from a file, without the copies that JavaScript needs, which take longer than
 * reading the file.
 */
import { getBackend, type Tensor } from "@tensorflow/tfjs-core";
import type { Dtype } from "./dtype.ts";
import type { FilePlace } from "./store.ts";

export interface StoredMatrix extends FilePlace {
  readonly dtype: Dtype;
  readonly rows: number;
  readonly columns: number;
}

export interface WeightReader {
  /** The matrix in float32, [rows, columns] or transposed. @throws Error if it cannot be read this way */
  read(matrix: StoredMatrix, transposed: boolean): Tensor;
  /** Asks the operating system to read the bytes soon; does not wait. */
  readAhead(matrix: StoredMatrix): void;
}

const readers = new Map<string, WeightReader>();

/** Sets a backend's reader. */
export function setWeightReader(backend: string, reader: WeightReader): void {
  readers.set(backend, reader);
}

/** The current backend's reader, if it has one. */
export function weightReader(): WeightReader | undefined {
  return readers.get(getBackend());
}
