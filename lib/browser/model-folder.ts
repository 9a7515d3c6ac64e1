/** Where a browser finds the files of a model directory: behind HTTP, or among files that the user dropped. */
import { InputError } from "../errors/input-error.ts";
import type { ByteSource } from "../tensor/store.ts";
import { BlobSource } from "./blob-source.ts";
import { BytesSource } from "../tensor/bytes-source.ts";
import { fetchBytes } from "./fetch-bytes.ts";

/** Files by path relative to the directory. */
export interface ModelFolder {
  /** For errors. */
  readonly name: string;
  /** @throws InputError if the file cannot be read */
  bytes(path: string): Promise<Uint8Array>;
  /** A file of weights. @throws InputError if it cannot be read */
  source(path: string): Promise<ByteSource>;
}

/**
 * A directory behind HTTP. A file of weights is loaded in one request and kept in memory.
 *
 * @param address ends in "/"
 * @param onProgress called with the bytes loaded of the weights
 */
export function httpFolder(
  address: string,
  onProgress?: (loaded: number, total: number) => void,
): ModelFolder {
  return {
    name: address,
    bytes: (path) => fetchBytes(address + path),
    source: async (path) => new BytesSource(path, await fetchBytes(address + path, onProgress)),
  };
}

/** A directory that the user dropped or chose. Of the weights, only what is used is read. */
export function blobFolder(name: string, files: ReadonlyMap<string, Blob>): ModelFolder {
  const find = (path: string): Blob => {
    const blob = files.get(path);
    if (blob === undefined) throw new InputError(`${name}: expected the file ${path}, found none`);
    return blob;
  };
  return {
    name,
    bytes: async (path) => new Uint8Array(await find(path).arrayBuffer()),
    source: (path) => Promise.resolve(new BlobSource(`${name}/${path}`, find(path))),
  };
}
