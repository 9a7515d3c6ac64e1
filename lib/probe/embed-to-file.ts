/** From pictures or texts to a features file, in pieces that are kept: whoever is stopped goes on where he was. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { getBackend, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../nn/module.ts";
import { Journal } from "../node/journal.ts";
import type { LabelledImages } from "../node/labelled-images.ts";
import { defaultBatchSize, embedImages, type EmbedImagesOptions } from "../tasks/embed.ts";
import { InputError } from "../tensor/errors.ts";
import { bytesOf, writeFeatures, type Metadata } from "./features.ts";
import { describeImageFeatures, describeTextFeatures } from "./origin.ts";

/** Inputs that are done, as the journal keeps them. */
interface Piece {
  /** How many inputs are done with this piece, unreadable ones included. */
  readonly done: number;
  /** Which of them have a row. */
  readonly embedded: readonly number[];
  /** Why others have none. */
  readonly failed: readonly string[];
  /** float32 [embedded, width] in base64 */
  readonly features: string;
}

export interface EmbedToFileOptions {
  readonly batchSize?: number;
  readonly normalize?: boolean;
  /** Called now and then with the number of inputs that are done, and how many of them an earlier run did. */
  readonly onProgress?: (done: number, before: number) => void;
}

export interface EmbedImagesToFileOptions
  extends EmbedToFileOptions, Pick<EmbedImagesOptions, "tap" | "pool" | "exifOrientation" | "workers"> {
  /** Receives the error of an image that cannot be read; it gets no row. */
  readonly onError: (error: InputError) => void;
}

export interface Embedded {
  readonly rows: number;
  readonly width: number;
}

/**
 * Embeds image files into a features file. Work is kept in a journal beside it (`OUT.journal`) until the file is
 * complete: stopped at any point and called again this continues, and the file is the same, byte for byte, as without
 * the stop.
 *
 * @throws InputError if a journal of other work stands there (another model, tap, preprocessing, list of images, changed
 *   images), the tap does not exist, or no image can be read; nothing is written then
 */
export async function embedImagesToFile(
  model: Clip,
  { paths, labels, classNames }: LabelledImages,
  out: string,
  options: EmbedImagesToFileOptions,
): Promise<Embedded> {
  const { batchSize = defaultBatchSize, onError, onProgress } = options;
  const metadata = await describeImageFeatures(model, options);
  const key = { ...metadata, images: digest(await Promise.all(paths.map(stateOf))), batch: `${batchSize}` };
  const work = await Work.begin(out, key);
  try {
    for (const message of work.failed) onError(new InputError(message));
    const before = work.done;
    onProgress?.(before, before);
    let failed: string[] = [];
    const batches = embedImages(model, paths.slice(before), {
      ...options,
      batchSize,
      onError: (error) => {
        onError(error);
        failed.push(error.message);
      },
      onProgress: (done) => onProgress?.(before + done, before),
    });
    for await (const { features, indices, done } of batches) {
      const embedded = indices.map((index) => before + index);
      await work.add(features, { done: before + done, embedded, failed });
      failed = [];
    }
    if (work.rows === 0) throw new InputError(`${out}: not written: none of the images could be read`);
    return await work.finish(metadata, {
      labels: labels && work.embedded.map((i) => labels[i]!),
      classNames,
      paths: work.embedded.map((i) => paths[i]!),
    });
  } finally {
    await work.close();
  }
}

/**
 * Embeds texts into a features file, kept in a journal as images are.
 *
 * @throws InputError as `embedImagesToFile`, and if there are no texts
 */
export async function embedTextsToFile(
  model: Clip,
  texts: readonly string[],
  out: string,
  { batchSize = 32, normalize = false, onProgress }: EmbedToFileOptions = {},
): Promise<Embedded> {
  if (texts.length === 0) throw new InputError("expected at least one text, got none");
  const metadata = await describeTextFeatures(model, normalize);
  const work = await Work.begin(out, { ...metadata, texts: digest(texts), batch: `${batchSize}` });
  try {
    const before = work.done;
    for (let start = before; start < texts.length; start += batchSize) {
      onProgress?.(start, before);
      const batch = texts.slice(start, start + batchSize);
      const embedded = batch.map((_, i) => start + i);
      const features = await model.encodeText(batch, { normalize });
      await work.add(features, { done: start + batch.length, embedded, failed: [] });
    }
    return await work.finish(metadata, { labels: null, classNames: null, paths: null });
  } finally {
    await work.close();
  }
}

/** What is done so far, in memory and in the journal. */
class Work {
  readonly #out: string;
  #journal: Journal<Piece> | null = null;
  readonly #features: Float32Array[] = [];
  /** Inputs that are done. */
  done = 0;
  /** The input of each row. */
  readonly embedded: number[] = [];
  /** Why others have no row. */
  readonly failed: string[] = [];

  private constructor(out: string) {
    this.#out = out;
  }

  static async begin(out: string, key: Metadata): Promise<Work> {
    const work = new Work(out);
    work.#journal = await Journal.open<Piece>(
      `${out}.journal`,
      { ...key, backend: getBackend() },
      (piece) => {
        const bytes = new Uint8Array(Buffer.from(piece.features, "base64"));
        work.#take(new Float32Array(bytes.buffer), piece);
      },
    );
    return work;
  }

  get rows(): number {
    return this.embedded.length;
  }

  /** Keeps a batch and frees its tensor. */
  async add(features: Tensor2D, piece: Omit<Piece, "features">): Promise<void> {
    const values = await disposing(features, (tensor) => tensor.data<"float32">());
    await this.#journal?.add({ ...piece, features: Buffer.from(bytesOf(values)).toString("base64") });
    this.#take(values, piece);
  }

  /** Writes the features file; the journal has served. */
  async finish(
    metadata: Metadata,
    of: {
      readonly labels: readonly number[] | null;
      readonly classNames: readonly string[] | null;
      readonly paths: readonly string[] | null;
    },
  ): Promise<Embedded> {
    const width = this.#features.reduce((sum, { length }) => sum + length, 0) / this.rows;
    const values = new Float32Array(this.rows * width);
    let end = 0;
    for (const part of this.#features) {
      values.set(part, end);
      end += part.length;
    }
    await writeFeatures(this.#out, { values, rows: this.rows, width, metadata, ...of });
    await this.#journal?.remove();
    this.#journal = null;
    return { rows: this.rows, width };
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    this.#journal = null;
  }

  #take(values: Float32Array, { done, embedded, failed }: Omit<Piece, "features">): void {
    this.#features.push(values);
    this.done = done;
    this.embedded.push(...embedded);
    this.failed.push(...failed);
  }
}

/** A file's name, size and time of change: what shows that it is the same as before. */
async function stateOf(path: string): Promise<string> {
  return stat(path).then(
    ({ size, mtimeMs }) => `${path}\0${size}\0${mtimeMs}`,
    () => path,
  );
}

function digest(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}
