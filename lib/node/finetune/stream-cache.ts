/**
 * Residual streams of images at a block of the image tower, on disk: what the frozen blocks before it compute, once for
 * each image instead of in every epoch.
 *
 * The file is safetensors: `streams` F32 [images, L, width]. A journal next to it counts the finished rows until it is
 * complete, so that an interrupted run continues.
 */
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { tensor3d, tensor4d, type Tensor3D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { resume, type JournalKey } from "../../features/journal.ts";
import type { LabelledImages } from "../../features/labelled-images.ts";
import { runBlocks } from "../../nn/tower.ts";
import { disposing } from "../../tensor/disposing.ts";
import { elementCount } from "../../tensor/dtype.ts";
import { encodeHeader, SafetensorsFile } from "../../tensor/safetensors.ts";
import { tensorInfo } from "../../tensor/store.ts";
import { pass } from "../../tensor/taps.ts";
import { assertSpace } from "../files/disk-space.ts";
import { exists } from "../files/exists.ts";
import { FileSource } from "../files/file-source.ts";
import { nodeFileSystem } from "../files/file-system.ts";
import { unwritable } from "../files/output-path.ts";
import { syncFolder } from "../files/sync-folder.ts";
import { writeAll } from "../files/write-file.ts";
import { loadImages } from "../images/embed-images.ts";

const tensorName = "streams";

/** Called with the number of images done, of all, and those of an earlier run. */
export type OnImages = (done: number, total: number, before: number) => void;

/** Streams of a list of images, by their positions in the list. */
export class StreamCache {
  readonly #file: SafetensorsFile;
  readonly #shape: readonly [length: number, width: number];

  private constructor(file: SafetensorsFile) {
    const [, length = 0, width = 0] = tensorInfo(file, tensorName).shape;
    this.#file = file;
    this.#shape = [length, width];
  }

  static async open(path: string): Promise<StreamCache> {
    return new StreamCache(await SafetensorsFile.open(await FileSource.open(path)));
  }

  /** @returns [images, L, width]; the caller disposes it */
  async read(images: readonly number[]): Promise<Tensor3D> {
    const [length, width] = this.#shape;
    const size = 4 * length * width;
    const values = new Float32Array(images.length * length * width);
    const bytes = new Uint8Array(values.buffer);
    for (const [at, image] of images.entries()) {
      bytes.set(await this.#file.read(tensorName, image * size, size), at * size);
    }
    return tensor3d(values, [images.length, length, width]);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

export interface StreamCacheOptions {
  /** The first block that is trained: the streams are what it takes. */
  readonly block: number;
  readonly batchSize: number;
  /** What the streams depend on. */
  readonly key: JournalKey;
  readonly onImages: OnImages;
}

/** Opens the streams of images, and computes them first if there are none. @throws InputError for an unreadable image */
export async function cacheStreams(
  model: Clip,
  { images }: LabelledImages,
  path: string,
  options: StreamCacheOptions,
): Promise<StreamCache> {
  if (!(await exists(path))) await writeStreams(model, images, path, options);
  return StreamCache.open(path);
}

async function writeStreams(
  model: Clip,
  images: LabelledImages["images"],
  path: string,
  { block, batchSize, key, onImages }: StreamCacheOptions,
): Promise<void> {
  const { imageSize, patchSize, width } = model.config.vision;
  const length = 1 + Math.floor(imageSize[0] / patchSize[0]) * Math.floor(imageSize[1] / patchSize[1]);
  const shape = [images.length, length, width];
  const header = encodeHeader([{ name: tensorName, dtype: "F32", shape }]);
  const partial = `${path}.partial`;
  let done = 0;
  await resume<{ readonly done: number }, undefined>(nodeFileSystem, `${path}.journal`, key, {
    readPiece: (value) => {
      const number = value.at("done").integer(0);
      if (number > images.length) throw value.at("done").error(`at most ${images.length}`);
      return { done: number };
    },
    onPiece: (piece) => {
      done = piece.done;
    },
    remaining: async function* () {
      const before = done;
      await assertSpace(dirname(path), header.length + 4 * elementCount(shape), path);
      const file = await open(partial, before === 0 ? "w" : "r+").catch((error: unknown) => {
        throw unwritable(partial, error);
      });
      try {
        if (before === 0) await writeAll(file, header, 0);
        const batches = streamsOf(model, images.slice(before), block, batchSize);
        onImages(before, images.length, before);
        for await (const streams of batches) {
          const bytes = new Uint8Array(streams.buffer, streams.byteOffset, streams.byteLength);
          await writeAll(file, bytes, header.length + 4 * length * width * done);
          await file.datasync();
          yield { done: done + streams.length / (length * width) };
          onImages(done, images.length, before);
        }
      } catch (error) {
        throw error instanceof Error && "syscall" in error ? unwritable(partial, error) : error;
      } finally {
        await file.close();
      }
    },
    finish: async () => {
      await rename(partial, path);
      await syncFolder(dirname(path));
      return undefined;
    },
  });
}

async function* streamsOf(
  model: Clip,
  images: LabelledImages["images"],
  block: number,
  batchSize: number,
): AsyncGenerator<Float32Array, void, undefined> {
  const [height, width] = model.config.vision.imageSize;
  let batch: Float32Array[] = [];
  const run = async (): Promise<Float32Array> => {
    const pixels = new Float32Array(batch.length * 3 * height * width);
    for (const [i, image] of batch.entries()) pixels.set(image, i * image.length);
    const input = tensor4d(pixels, [batch.length, 3, height, width]);
    batch = [];
    const streams = await disposing(input, () => pass(() => runBlocks(model.visual, input, block)));
    return disposing(streams, (values) => values.data<"float32">());
  };
  for await (const image of loadImages(model, images, { batchSize })) {
    if ("error" in image) throw new InputError(`${image.error.message}; repair or remove the image`);
    batch.push(image.pixels);
    if (batch.length === batchSize) yield await run();
  }
  if (batch.length > 0) yield await run();
}
