/** A safetensors file whose tensors arrive one by one during a pass, before its header is known. */
import { closeSync, createReadStream, openSync, rmSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { encodeHeader, type TensorSpec } from "../../tensor/safetensors.ts";
import { unwritable } from "./output-path.ts";
import { removeAtExit } from "./remove-at-exit.ts";
import { reserveOutput, type Reservation } from "./reserve-output.ts";
import { writeTogether } from "./write-file.ts";

/** Collects the tensors in a temporary file; the file itself is written when all are complete. */
export class TraceFile {
  readonly tensors: TensorSpec[] = [];
  readonly #output: Reservation;
  readonly #data: string;
  readonly #keep: () => void;
  #descriptor: number | null;

  private constructor(output: Reservation, data: string, descriptor: number) {
    this.#output = output;
    this.#data = data;
    this.#descriptor = descriptor;
    this.#keep = removeAtExit(data);
  }

  /** @param inputs as for `placeFor` @throws InputError if no file can be written to this path */
  static async create(path: string, inputs: readonly (string | undefined)[] = []): Promise<TraceFile> {
    const output = await reserveOutput(path, inputs);
    const data = `${output.place}.clipscope.data`;
    try {
      // Deleted, not emptied: a link at this path would lead to another file.
      rmSync(data, { force: true });
      return new TraceFile(output, data, openSync(data, "wx"));
    } catch (error) {
      await output.release();
      throw unwritable(path, error);
    }
  }

  /** Writes a tensor's bytes. Append wider dtypes first, so that every tensor is aligned. */
  append(tensor: TensorSpec, bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#descriptor!, bytes, done);
    } catch (error) {
      throw unwritable(this.#output.path, error);
    }
    this.tensors.push(tensor);
  }

  /** Writes the file: the header, then the tensors. */
  async finish(metadata: Readonly<Record<string, string>>): Promise<void> {
    this.#closeData();
    await writeTogether([this.#output], async ([file]) => {
      await file!.write(encodeHeader(this.tensors, metadata));
      for await (const bytes of createReadStream(this.#data)) await file!.write(bytes as Buffer);
    });
    await this.close();
  }

  /** Removes the temporary file. May be called twice. */
  async close(): Promise<void> {
    this.#closeData();
    await rm(this.#data, { force: true }).catch(() => undefined);
    this.#keep();
    await this.#output.release();
  }

  #closeData(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    try {
      if (descriptor !== null) closeSync(descriptor);
    } catch (error) {
      throw unwritable(this.#output.path, error);
    }
  }
}
