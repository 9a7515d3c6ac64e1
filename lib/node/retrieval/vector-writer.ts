/** Writes vectors as a matrix of float16 (`.npy`), row by row: their number is known at the end. */
import { encodeNpyHeader } from "../../tensor/npy-header.ts";
import { roundFloats } from "../../tensor/rounding.ts";
import type { NewPartitionFile } from "./new-file.ts";

export class VectorWriter {
  readonly #file: NewPartitionFile;
  readonly #width: number;
  #rows = 0;

  private constructor(file: NewPartitionFile, width: number) {
    this.#file = file;
    this.#width = width;
  }

  static async create(file: NewPartitionFile, width: number): Promise<VectorWriter> {
    await file.write(encodeNpyHeader("<f2", [0, width]));
    return new VectorWriter(file, width);
  }

  get rows(): number {
    return this.#rows;
  }

  /** @param values [rows, width], rounded to the nearest float16, ties to even */
  async append(values: Float32Array): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    await this.#file.write(roundFloats("F32", "F16", bytes).bytes);
    this.#rows += values.length / this.#width;
  }

  /** Appends rows of zeros. */
  async appendZeros(rows: number): Promise<void> {
    await this.#file.write(new Uint8Array(2 * rows * this.#width));
    this.#rows += rows;
  }

  /** Appends rows that are stored already, as float16. */
  async appendStored(bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes);
    this.#rows += bytes.length / 2 / this.#width;
  }

  /** Corrects the number of rows in the header. */
  async finish(): Promise<void> {
    await this.#file.write(encodeNpyHeader("<f2", [this.#rows, this.#width]), 0);
  }
}
