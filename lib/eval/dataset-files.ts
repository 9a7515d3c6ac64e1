/** The interface through which readers of datasets reach files. `lib/node/eval` implements it under Node. */
import type { FilePart } from "../tasks/image-source.ts";

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** A regular file in a tar. Its name, for messages, is `TAR:PATH`. */
export interface TarMember extends FilePart {
  /** Its path inside the tar. */
  readonly path: string;
}

/** The operations on files that readers of datasets need. Paths have `/`; links are followed. */
export interface DatasetFiles {
  /** What is at a path: null if nothing. */
  kindOf(path: string): Promise<"file" | "folder" | null>;
  /** The entries of a folder, sorted by code points, as Python sorts. @throws InputError if it cannot be read */
  list(folder: string): Promise<readonly FolderEntry[]>;
  /** The bytes of a file. @throws InputError if it is missing, cannot be read, or is larger than 1 GiB */
  bytes(path: string): Promise<Uint8Array>;
  /** A file in UTF-8, as Python's `open(…).read()`, line breaks as they are. @throws InputError as `bytes`, or if it is not UTF-8 */
  text(path: string): Promise<string>;
  /** The index of a tar, in its order. @throws InputError if it is missing, truncated or not an uncompressed tar */
  tar(path: string): Promise<readonly TarMember[]>;
  /**
   * Reads parts of one file, in their order; of each at most `most` bytes.
   *
   * @throws InputError if one is larger than `most`, or the file cannot be read
   */
  parts(parts: readonly FilePart[], most: number): Promise<readonly Uint8Array[]>;
}

/** Joins the parts of a path with "/". */
export function joinPath(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== "")
    .map((part, i) => (i === 0 ? part : part.replace(/^\/+/, "")))
    .map((part, i, all) => (i === all.length - 1 ? part : part.replace(/\/+$/, "")))
    .join("/");
}
