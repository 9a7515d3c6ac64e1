/** A safetensors file whose tensors come one by one, while a pass runs, and whose header comes last. */
import { closeSync, createReadStream, openSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { encodeHeader, type TensorSpec } from "../../tensor/safetensors.ts";
import { unreadable } from "./file-source.ts";
import { placeFor, removeOnSignal, writeTogether } from "./write-file.ts";

/** Nothing stands at the file's path before all of it is there. */
export class TraceFile {
  readonly path: string;
  readonly tensors: TensorSpec[] = [];
  readonly #data: string;
  readonly #removed: () => void;
  #descriptor: number | null;

  private constructor(path: string, data: string, descriptor: number) {
    this.path = path;
    this.#data = data;
    this.#descriptor = descriptor;
    this.#removed = removeOnSignal(data);
  }

  /** @param inputs as for `placeFor` @throws InputError if no file can be written there */
  static async create(path: string, inputs: readonly (string | undefined)[] = []): Promise<TraceFile> {
    const data = `${await placeFor(path, inputs)}.${process.pid}.data`;
    try {
      return new TraceFile(path, data, openSync(data, "w"));
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  /** Writes a tensor's bytes. Wider dtypes come first, so that every tensor is aligned. */
  append(tensor: TensorSpec, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#descriptor!, bytes, done);
    this.tensors.push(tensor);
  }

  /** Puts the file in its place. */
  async finish(metadata: Readonly<Record<string, string>>): Promise<void> {
    this.#close();
    await writeTogether([this.path], async ([file]) => {
      await file!.write(encodeHeader(this.tensors, metadata));
      for await (const bytes of createReadStream(this.#data)) await file!.write(bytes as Buffer);
    });
    await this.discard();
  }

  /** Removes what is not finished; harmless afterwards. */
  async discard(): Promise<void> {
    this.#close();
    await rm(this.#data, { force: true });
    this.#removed();
  }

  #close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
