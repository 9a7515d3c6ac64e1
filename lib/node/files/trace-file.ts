/** A safetensors file whose tensors arrive one by one during a pass, before its header is known. */
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { encodeHeader, type TensorSpec } from "../../tensor/safetensors.ts";
import { unreadable } from "./file-source.ts";
import { placeFor } from "./output-path.ts";
import { removeOnSignal } from "./remove-on-signal.ts";
import { writeTogether } from "./write-file.ts";

/** Collects the tensors in a temporary file; the file itself is written when all are complete. */
export class TraceFile {
  readonly path: string;
  readonly tensors: TensorSpec[] = [];
  readonly #data: string;
  readonly #keep: () => void;
  #descriptor: number | null;

  private constructor(path: string, data: string, descriptor: number) {
    this.path = path;
    this.#data = data;
    this.#descriptor = descriptor;
    this.#keep = removeOnSignal(data);
  }

  /** @param inputs as for `placeFor` @throws InputError if no file can be written to this path */
  static async create(path: string, inputs: readonly (string | undefined)[] = []): Promise<TraceFile> {
    const data = `${await placeFor(path, inputs)}.${process.pid}.data`;
    try {
      return new TraceFile(path, data, openSync(data, "w"));
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Writes a tensor's bytes. Append wider dtypes first, so that every tensor is aligned. */
  append(tensor: TensorSpec, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#descriptor!, bytes, done);
    this.tensors.push(tensor);
  }

  /** Writes the file: the header, then the tensors. */
  async finish(metadata: Readonly<Record<string, string>>): Promise<void> {
    this.#close();
    await writeTogether([this.path], async ([file]) => {
      await file!.write(encodeHeader(this.tensors, metadata));
      for await (const bytes of createReadStream(this.#data)) await file!.write(bytes as Buffer);
    });
    await this.discard();
  }

  /** Removes the temporary file. May be called twice. */
  async discard(): Promise<void> {
    this.#close();
    await rm(this.#data, { force: true });
    this.#keep();
  }

  #close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
