/**
 * A backend's own way from a file to a weight: without the copies in between that JavaScript needs, gigabytes of which
 * take longer than the disk.
 */
import { getBackend, type Tensor } from "@tensorflow/tfjs-core";
import type { Dtype } from "./dtype.ts";
import type { FilePlace } from "./safetensors.ts";

export interface StoredMatrix extends FilePlace {
  readonly dtype: Dtype;
  readonly rows: number;
  readonly columns: number;
}

export interface WeightReader {
  /** In float32, [rows, columns] or transposed. @throws Error if it cannot be read this way */
  read(matrix: StoredMatrix, transposed: boolean): Tensor;
  /** Asks the system to have the bytes at hand soon; does not wait. */
  readAhead(matrix: StoredMatrix): void;
}

const readers = new Map<string, WeightReader>();

/** Sets the way of a backend. */
export function setWeightReader(backend: string, reader: WeightReader): void {
  readers.set(backend, reader);
}

/** The current backend's way, if it has one. */
export function weightReader(): WeightReader | undefined {
  return readers.get(getBackend());
}
