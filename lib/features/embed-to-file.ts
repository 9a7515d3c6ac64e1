/** From pictures or texts to features files, in pieces that are kept: whoever is stopped goes on where he was. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { getBackend, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { fileOf, nameOf } from "../node/images/image-source.ts";
import { Journal } from "../node/files/journal.ts";
import type { LabelledImages } from "../node/images/labelled-images.ts";
import { writeTogether } from "../node/files/write-file.ts";
import { defaultBatchSize, embeddingTap, embedImageTaps, type EmbedTapsOptions } from "../tasks/embed.ts";
import { embedTextTaps, textTap } from "../tasks/embed-texts.ts";
import type { Pooling } from "../tasks/tapped.ts";
import { InputError } from "../errors/input-error.ts";
import { bytesOf, featuresHead, type Metadata, type RowLabels } from "./features.ts";
import { describeImageFeatures, describeTextFeatures } from "./origin.ts";

/** Inputs that are done, as the journal keeps them. */
interface Piece {
  /** How many inputs are done with this piece, unreadable ones included. */
  readonly done: number;
  /** Which of them have a row. */
  readonly embedded: readonly number[];
  /** Why others have none. */
  readonly failed: readonly string[];
  /** Of each tap float32 [embedded, width] in base64 */
  readonly features: readonly string[];
}

/** Options of `embedImagesToFile` and `embedTextsToFile`. */
export interface EmbedToFileOptions {
  readonly batchSize?: number;
  readonly normalize?: boolean;
  /** Whose output is taken: a file for each, where `{tap}` in the file's name gives way to the tap's. Default: the embedding. */
  readonly taps?: readonly string[];
  /** For taps with a vector for each token. Default: `class`. */
  readonly pool?: Pooling;
  /** Called now and then with the number of inputs that are done, and how many of them an earlier run did. */
  readonly onProgress?: (done: number, before: number) => void;
}

/** Options of `embedImagesToFile`. */
export interface EmbedImagesToFileOptions
  extends EmbedToFileOptions, Pick<EmbedTapsOptions, "exifOrientation" | "workers"> {
  /** Receives the error of an image that cannot be read; it gets no row. */
  readonly onError: (error: InputError) => void;
}

/** A features file that was written. */
export interface Embedded {
  readonly tap: string;
  readonly out: string;
  readonly rows: number;
  readonly width: number;
}

/**
 * Embeds images into features files, one for each tap. Work is kept in a journal beside them (`OUT.journal`) until the
 * files are complete: stopped at any point and called again this continues, and the files are the same, byte for byte,
 * as without the stop. Features stay in the journal, not in memory.
 *
 * @throws InputError if a journal of other work stands there (another model, tap, preprocessing, list of images, changed
 *   images), a tap does not exist, or no image can be read; nothing is written then
 */
export async function embedImagesToFile(
  model: Clip,
  given: LabelledImages,
  out: string,
  options: EmbedImagesToFileOptions,
): Promise<Embedded[]> {
  const { taps = [embeddingTap], batchSize = defaultBatchSize, onError, onProgress } = options;
  const { images, labels, classNames } = given;
  const outs = outputFiles(out, taps);
  const metadata = await describeImageFeatures(model, taps, options);
  const key = { images: await digestImages(given), batch: `${batchSize}` };
  const work = await Work.begin(out, metadata, key);
  try {
    for (const message of work.failed) onError(new InputError(message));
    const before = work.done;
    onProgress?.(before, before);
    let failed: string[] = [];
    const batches = embedImageTaps(model, images.slice(before), taps, {
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
    if (work.embedded.length === 0)
      throw new InputError(`${out}: not written: none of the images could be read`);
    return await work.finish(outs, {
      labels: labels && work.embedded.map((i) => labels[i]!),
      classNames,
      paths: work.embedded.map((i) => nameOf(images[i]!)),
    });
  } finally {
    await work.close();
  }
}

/**
 * Embeds texts into features files, kept in a journal as images are.
 *
 * @throws InputError as `embedImagesToFile`, and if there are no texts
 */
export async function embedTextsToFile(
  model: Clip,
  texts: readonly string[],
  out: string,
  options: EmbedToFileOptions = {},
): Promise<Embedded[]> {
  const { taps = [textTap], batchSize = 32, onProgress } = options;
  if (texts.length === 0) throw new InputError("expected at least one text, got none");
  const outs = outputFiles(out, taps);
  const metadata = await describeTextFeatures(model, taps, options);
  const work = await Work.begin(out, metadata, { texts: digest(texts), batch: `${batchSize}` });
  try {
    const before = work.done;
    for (let start = before; start < texts.length; start += batchSize) {
      onProgress?.(start, before);
      const batch = texts.slice(start, start + batchSize);
      const embedded = batch.map((_, i) => start + i);
      const features = await embedTextTaps(model, batch, taps, options);
      await work.add(features, { done: start + batch.length, embedded, failed: [] });
    }
    return await work.finish(outs, { labels: null, classNames: null, paths: null });
  } finally {
    await work.close();
  }
}

/** The file of each tap. */
function outputFiles(out: string, taps: readonly string[]): string[] {
  const twice = taps.find((tap, i) => taps.indexOf(tap) !== i);
  if (twice !== undefined) throw new InputError(`the tap "${twice}" is named twice`);
  if (taps.length > 1 && !out.includes("{tap}")) {
    throw new InputError(`${out}: expected {tap} in the name, where ${taps.length} taps make a file each`);
  }
  return taps.map((tap) => out.replaceAll("{tap}", tap));
}

/** What is done so far, and the journal that keeps it. */
class Work {
  readonly #metadata: readonly Metadata[];
  readonly #journal: Journal<Piece>;
  /** Numbers in a row of each tap, as far as that is known. */
  #widths: readonly number[] = [];
  /** Inputs that are done. */
  done = 0;
  /** The input of each row. */
  readonly embedded: number[] = [];
  /** Why others have no row. */
  readonly failed: string[] = [];

  private constructor(metadata: readonly Metadata[], journal: Journal<Piece>) {
    this.#metadata = metadata;
    this.#journal = journal;
  }

  /** @param metadata of each tap */
  static async begin(out: string, metadata: readonly Metadata[], key: Metadata): Promise<Work> {
    const taps = metadata.map(({ tap }) => tap).join(" ");
    const journal = await Journal.open<Piece>(`${out}.journal`, {
      ...metadata.reduce((all, of) => ({ ...all, ...of })),
      tap: taps,
      ...key,
      backend: getBackend(),
    });
    const work = new Work(metadata, journal);
    try {
      for await (const piece of journal.pieces()) work.#count(piece);
    } catch (error) {
      await journal.close();
      throw error;
    }
    return work;
  }

  /** Keeps a batch, [inputs, width] of each tap, and frees its tensors. */
  async add(features: readonly Tensor2D[], piece: Omit<Piece, "features">): Promise<void> {
    try {
      const values = await Promise.all(features.map((tensor) => tensor.data<"float32">()));
      const inBase64 = values.map((of) => Buffer.from(bytesOf(of)).toString("base64"));
      const whole = { ...piece, features: inBase64 };
      await this.#journal.add(whole);
      this.#count(whole);
    } finally {
      for (const tensor of features) tensor.dispose();
    }
  }

  /** Writes the features files; the journal has served. */
  async finish(outs: readonly string[], labels: RowLabels): Promise<Embedded[]> {
    const rows = this.embedded.length;
    const metadata = this.#metadata;
    await writeTogether(outs, async (files) => {
      for (const [i, file] of files.entries()) {
        await file.write(featuresHead(rows, this.#widths[i]!, labels, metadata[i]!));
      }
      for await (const { features } of this.#journal.pieces()) {
        for (const [i, values] of features.entries()) await files[i]!.write(Buffer.from(values, "base64"));
      }
    });
    await this.#journal.remove();
    return outs.map((out, i) => ({ tap: metadata[i]!["tap"]!, out, rows, width: this.#widths[i]! }));
  }

  /** Leaves the journal for whoever continues, if there is something in it; harmless when all is finished. */
  close(): Promise<void> {
    return this.done === 0 ? this.#journal.remove() : this.#journal.close();
  }

  #count({ done, embedded, failed, features }: Piece): void {
    this.#widths = features.map((values) => Buffer.byteLength(values, "base64") / 4 / embedded.length);
    this.done = done;
    this.embedded.push(...embedded);
    this.failed.push(...failed);
  }
}

/** Of names and classes, and the sizes and times of change of their files: whether they are the same as before. */
export async function digestImages({ images, labels, classNames }: LabelledImages): Promise<string> {
  const files = new Map<string, string>();
  const states: string[] = [];
  for (const image of images) {
    const file = fileOf(image);
    const state = files.get(file) ?? (await stateOf(file));
    files.set(file, state);
    states.push(`${nameOf(image)}\0${state}`);
  }
  return digest([states, labels, classNames]);
}

function stateOf(file: string): Promise<string> {
  return stat(file).then(
    ({ size, mtimeMs }) => `${size}\0${mtimeMs}`,
    () => "",
  );
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
