/** A safetensors file whose tensors arrive one by one during a pass, before its header is known. */
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { encodeHeader, type TensorSpec } from "../../tensor/safetensors.ts";
import { diskFull } from "./disk-space.ts";
import { unreadable } from "./file-source.ts";
import { removeOnSignal } from "./remove-on-signal.ts";
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
    this.#keep = removeOnSignal(data);
  }

  /** @param inputs as for `placeFor` @throws InputError if no file can be written to this path */
  static async create(path: string, inputs: readonly (string | undefined)[] = []): Promise<TraceFile> {
    const output = await reserveOutput(path, inputs);
    const data = `${output.place}.clipscope.data`;
    try {
      return new TraceFile(output, data, openSync(data, "w"));
    } catch (error) {
      await output.release();
      throw unreadable(path, error);
    }
  }

  /** Writes a tensor's bytes. Append wider dtypes first, so that every tensor is aligned. */
  append(tensor: TensorSpec, bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#descriptor!, bytes, done);
    } catch (error) {
      throw diskFull(this.#output.path, error) ?? unreadable(this.#output.path, error);
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
    await rm(this.#data, { force: true });
    this.#keep();
    await this.#output.release();
  }

  #closeData(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
