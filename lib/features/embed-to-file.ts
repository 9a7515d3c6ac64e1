/** Embeds images or texts into features files. Finished batches are kept in a journal, so that the work can be resumed. */
import { getBackend, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import {
  defaultBatchSize,
  embedLoadedImageTaps,
  embeddingTap,
  type EmbedLoadedOptions,
} from "../tasks/embed-images.ts";
import { embedTextTaps, textTap } from "../tasks/embed-texts.ts";
import type { ImageList } from "../tasks/image-list.ts";
import { nameOf, type ImageSource } from "../tasks/image-source.ts";
import { InputError } from "../errors/input-error.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { sha256OfJson } from "./digest.ts";
import { readEmbedPiece, widthsOf, type EmbedPiece } from "./embed-piece.ts";
import type { Metadata } from "./features.ts";
import { bytesOf, encodeHead, type RowLabels } from "./features-file.ts";
import type { Host, LoadImagesOptions } from "./host.ts";
import { resume, type Work } from "./journal.ts";
import { digestImages, type LabelledImages } from "./labelled-images.ts";
import { describeImageFeatures, describeTextFeatures } from "./origin.ts";

/** Options for embedding into features files. */
export interface EmbedToFileOptions extends Pick<EmbedLoadedOptions, "batchSize" | "normalize" | "pool"> {
  /** The modules whose outputs are taken, each into a file: `{tap}` in the path is replaced. Default: the embedding. */
  readonly taps?: readonly string[];
  /** Called after each batch with the number of inputs done, and how many of them an earlier run did. */
  readonly onProgress?: (done: number, before: number) => void;
}

/** Options for embedding images into features files. */
export interface EmbedImagesToFileOptions
  extends EmbedToFileOptions, Pick<LoadImagesOptions, "exifOrientation" | "convertToRgbFirst" | "workers"> {
  /** Tells whether the images are those of an interrupted run. Default: a digest of their names, classes and files. */
  readonly digest?: string;
  /** Receives the error of an image that cannot be read; it gets no row. */
  readonly onError: (error: InputError) => void;
}

/** Options for embedding texts into features files. */
export interface EmbedTextsToFileOptions extends EmbedToFileOptions {
  /** Record the texts in the files, where images have their paths. Default: false. */
  readonly recordTexts?: boolean;
}

/** A features file that was written. */
export interface Embedded {
  readonly tap: string;
  readonly out: string;
  readonly rows: number;
  readonly width: number;
}

/**
 * Embeds images into features files, one for each tap. Finished batches are kept in a journal next to them
 * (`OUT.journal`) until the files are complete. Called again after an interruption, it continues, and the files are the
 * same, byte for byte, as without the interruption. Features are held in the journal, not in memory.
 *
 * @throws InputError if there is a journal of other work (another model, tap, preprocessing, or other images), a tap is
 *   unknown, or no image can be read; no features file is written then
 */
export async function embedImagesToFile(
  host: Host,
  model: Clip,
  given: LabelledImages,
  out: string,
  options: EmbedImagesToFileOptions,
): Promise<Embedded[]> {
  const { taps = [embeddingTap], batchSize = defaultBatchSize, onError, onProgress } = options;
  const { images, labels, classNames } = given;
  const metadata = await describeImageFeatures(host, model, taps, options);
  const key = { images: options.digest ?? (await digestImages(host.files, given)), batch: `${batchSize}` };

  return embedResumably(host, out, metadata, key, {
    inputs: images.length,
    remaining: async function* ({ done: before, failed: failedBefore }) {
      for (const message of failedBefore) onError(new InputError(message));
      onProgress?.(before, before);
      let failed: string[] = [];
      const loaded = host.loadImages(model, images.slice(before), { ...options, batchSize });
      const batches = embedLoadedImageTaps(model, loaded, taps, {
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
        yield { done: before + done, embedded, failed, features: await encodeAndDispose(features) };
        failed = [];
      }
    },
    labelsOf: (embedded) => {
      if (embedded.length === 0) {
        throw new InputError(`${out}: not written, because none of the images could be read`);
      }
      return {
        labels: labels && embedded.map((i) => labels[i]!),
        classNames,
        paths: { length: embedded.length, [Symbol.iterator]: () => namesOf(images, embedded) },
      };
    },
  });
}

/**
 * Embeds texts into features files, with a journal as for images.
 *
 * @throws InputError as `embedImagesToFile`, and for an empty list of texts
 */
export async function embedTextsToFile(
  host: Host,
  model: Clip,
  texts: readonly string[],
  out: string,
  options: EmbedTextsToFileOptions = {},
): Promise<Embedded[]> {
  const { taps = [textTap], batchSize = 32, recordTexts = false, onProgress, ...embedOptions } = options;
  if (texts.length === 0) throw new InputError("expected at least one text, got none");
  const metadata = await describeTextFeatures(host, model, taps, options);
  const key = { texts: await sha256OfJson(texts), batch: `${batchSize}` };

  return embedResumably(host, out, metadata, key, {
    inputs: texts.length,
    remaining: async function* ({ done: before }) {
      for (let start = before; start < texts.length; start += batchSize) {
        onProgress?.(start, before);
        const batch = texts.slice(start, start + batchSize);
        const embedded = batch.map((_, i) => start + i);
        const features = await encodeAndDispose(await embedTextTaps(model, batch, taps, embedOptions));
        yield { done: start + batch.length, embedded, failed: [], features };
      }
    },
    labelsOf: () => ({ labels: null, classNames: null, paths: recordTexts ? texts : null }),
  });
}

/** What has been embedded so far. */
interface Progress {
  /** How many inputs are done, including those that cannot be read. */
  readonly done: number;
  readonly failed: readonly string[];
}

interface Inputs {
  /** Their number. */
  readonly inputs: number;
  readonly remaining: (progress: Progress) => AsyncIterable<EmbedPiece>;
  /** The labels of the rows, given the input of each. */
  readonly labelsOf: (embedded: readonly number[]) => RowLabels;
}

/** @param metadata of each tap @param key what the batches depend on, in addition to the metadata */
async function embedResumably(
  { files }: Host,
  out: string,
  metadata: readonly Metadata[],
  key: Metadata,
  { inputs, remaining, labelsOf }: Inputs,
): Promise<Embedded[]> {
  const taps = metadata.map(({ tap }) => tap!);
  const outs = outputFiles(out, taps);
  const journalKey = {
    ...metadata.reduce((all, of) => ({ ...all, ...of })),
    tap: taps.join(" "),
    ...key,
    backend: getBackend(),
  };
  let done = 0;
  let widths: readonly number[] = [];
  const embedded: number[] = [];
  const failed: string[] = [];

  // Before hours of work, not at its end.
  const output = await files.reserve(outs);
  const work: Work<EmbedPiece, Embedded[]> = {
    readPiece: (value, previous) => readEmbedPiece(value, previous, inputs, taps.length),
    onPiece: (piece) => {
      done = piece.done;
      widths = widthsOf(piece);
      for (const input of piece.embedded) embedded.push(input);
      for (const message of piece.failed) failed.push(message);
    },
    remaining: () => remaining({ done, failed }),
    finish: async (pieces) => {
      const rows = embedded.length;
      const labels = labelsOf(embedded);
      await output.write(async (written) => {
        for (const [i, file] of written.entries()) {
          for (const part of encodeHead(rows, widths[i]!, labels, metadata[i]!)) await file.write(part);
        }
        let count = 0;
        for await (const piece of pieces()) {
          for (const [i, values] of piece.features.entries()) await written[i]!.write(fromBase64(values));
          count += piece.embedded.length;
        }
        if (count !== rows) {
          throw new InputError(
            `${out}.journal: expected ${rows} finished rows, found ${count}: another program changed the file; delete it, and the work begins again`,
          );
        }
      });
      return outs.map((path, i) => ({ tap: taps[i]!, out: path, rows, width: widths[i]! }));
    },
  };
  try {
    return await resume(files, `${out}.journal`, journalKey, work);
  } finally {
    await output.release();
  }
}

function* namesOf(
  images: ImageList<ImageSource>,
  embedded: readonly number[],
): Generator<string, void, undefined> {
  for (const i of embedded) yield nameOf(images.at(i)!);
}

/** The values of each tap in base64. */
async function encodeAndDispose(features: readonly Tensor2D[]): Promise<string[]> {
  try {
    const values = await Promise.all(features.map((tensor) => tensor.data<"float32">()));
    return values.map((of) => toBase64(bytesOf(of)));
  } finally {
    for (const tensor of features) tensor.dispose();
  }
}

/** The path of each tap's file. */
function outputFiles(out: string, taps: readonly string[]): string[] {
  const twice = taps.find((tap, i) => taps.indexOf(tap) !== i);
  if (twice !== undefined) throw new InputError(`the tap "${twice}" is listed twice; remove one`);
  if (taps.length > 1 && !out.includes("{tap}")) {
    throw new InputError(
      `${out}: expected {tap} in the name, because each of the ${taps.length} taps has its own file`,
    );
  }
  return taps.map((tap) => out.replaceAll("{tap}", tap));
}
