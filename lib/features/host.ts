/**
 * The interface through which features and probes reach files and images. Under Node, `lib/node/host.ts` implements it.
 */
import type { Clip } from "../clip/clip.ts";
import type { LoadedImage } from "../tasks/embed-images.ts";
import type { ImageList } from "../tasks/image-list.ts";
import type { ImageInput } from "../tasks/image-source.ts";
import type { ByteSource } from "../tensor/store.ts";

/** What the program around the library provides: files, images, and names for the metadata. */
export interface Host {
  readonly files: FileSystem;
  /** Program and version, recorded in features files: "clipscope 1.2.3". */
  readonly madeBy: string;
  /** The name of a model, given the path of its weights: its directory's name, or its repository's. */
  modelName(weights: string): string;
  /** Reads images in their order, decoded and preprocessed for the model. */
  loadImages(
    model: Pick<Clip, "preprocess">,
    images: ImageList<ImageInput>,
    options: LoadImagesOptions,
  ): AsyncIterable<LoadedImage>;
}

/** How images are read. */
export interface LoadImagesOptions {
  /** Images that are decoded ahead of the consumer, so that its next batch is ready. Default: `defaultBatchSize`. */
  readonly batchSize?: number;
  /** Apply the Exif orientation. Default: false, as in the reference. */
  readonly exifOrientation?: boolean;
  /** Convert images to RGB before they are resized, as torchvision's ImageFolder does. Default: false. */
  readonly convertToRgbFirst?: boolean;
  /** Threads that decode. Default: the host's choice. */
  readonly workers?: number;
}

/** The operations on files that features and probes need. */
export interface FileSystem {
  /** @throws InputError if the file does not exist, or cannot be read */
  open(path: string): Promise<ByteSource>;
  /**
   * Writes files together: each is complete before the first one replaces what was at its path.
   *
   * @throws InputError if one cannot be written; no file has changed then
   */
  write(paths: readonly string[], fill: (files: readonly OutputFile[]) => Promise<void>): Promise<void>;
  /**
   * Reserves files for this process: another one is refused until `release`.
   *
   * @throws InputError if one cannot be written, or another process writes it
   */
  reserve(paths: readonly string[]): Promise<ReservedFiles>;
  /**
   * Opens a file of lines, which need not exist yet, for this process alone.
   *
   * @throws InputError if it cannot be written, or another process has it open
   */
  openLines(path: string): Promise<LineFile>;
  /** Makes a folder and its parents, where they are missing. @throws InputError if that fails */
  makeFolder(path: string): Promise<void>;
  /** Removes what killed processes left beside a finished file. Never fails. */
  removeRemains(path: string): Promise<void>;
  /** A text that changes when the file does; empty if the file does not exist. */
  version(path: string): Promise<string>;
}

/** Files that only this process may write. */
export interface ReservedFiles {
  /** As `FileSystem.write`. */
  write(fill: (files: readonly OutputFile[]) => Promise<void>): Promise<void>;
  release(): Promise<void>;
}

/** A file that is being written. */
export interface OutputFile {
  write(bytes: Uint8Array): Promise<void>;
}

/** A text file that grows by lines. */
export interface LineFile {
  /** In bytes; 0 if the file is missing. */
  size(): Promise<number>;
  /** The lines that end with a line break, from the start of the file, without the break. */
  lines(): AsyncIterable<Uint8Array>;
  /** Replaces the whole content with one line, atomically. */
  replace(line: string): Promise<void>;
  append(line: string): Promise<void>;
  /** Cuts the file to a size in bytes. */
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
  /** Closes and deletes the file. */
  remove(): Promise<void>;
}
