/** Decodes many images to the image tower's input, in worker threads while the caller computes. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PreprocessConfig } from "../../image/transform.ts";
import { InputError } from "../../errors/input-error.ts";
import { imageReader } from "./image-reader.ts";
import type { ImageMessage, ImageReply, ReaderOptions, WorkerOptions } from "./image-reader.ts";
import type { LoadedImage } from "../../tasks/embed-images.ts";
import type { ImageList } from "../../tasks/image-list.ts";
import { inputName, type ImageInput } from "../../tasks/image-source.ts";
import { imagesThatPayForSharp, useSharp } from "./codecs.ts";
import { isSource, readyImage, type ReadyImage } from "./image-content.ts";

export interface ImageLoaderOptions {
  readonly config: PreprocessConfig;
  /** Worker threads; 0 decodes in the calling thread. Default: one per core, at most {@link mostWorkers}. */
  readonly workers?: number;
  /** How many images to decode ahead of the caller, such as its batch size. Default: 0. */
  readonly ahead?: number;
  /** Apply the Exif orientation. Default: false, as in the reference. */
  readonly exifOrientation?: boolean;
  /** Convert to RGB before the resize. Default: false. */
  readonly convertToRgbFirst?: boolean;
}

export interface ImageLoader {
  /**
   * Yields one item per image, in their order. An image that cannot be read gives an item with an error; nothing is
   * thrown. Ending the iteration early stops the work and the threads, and closes the streams that were being read.
   */
  load(images: ImageList<ImageInput>): AsyncGenerator<LoadedImage, void, undefined>;
}

/** The default limit: each thread holds the memory of its codecs, sized for the largest image so far. */
const mostWorkers = 8;

/** Starting a thread takes about as long as decoding two photographs. */
const fewestImagesForWorkers = 4;

/** Images queued per thread: the one being decoded and the next. */
const queuedPerWorker = 2;

/** A loader of images with the given options. Threads are started per call of `load`. */
export function imageLoader({
  config,
  workers,
  ahead = 0,
  exifOrientation = false,
  convertToRgbFirst = false,
}: ImageLoaderOptions): ImageLoader {
  const options: ReaderOptions = { config, exifOrientation, convertToRgbFirst };
  const wanted = workers ?? Math.min(availableParallelism(), mostWorkers);
  return {
    load: (images) => {
      const threads = Math.min(wanted, images.length);
      if (threads < 1 || images.length < fewestImagesForWorkers) return loadHere(images, options);
      return loadInWorkers(images, options, threads, ahead + threads * queuedPerWorker);
    },
  };
}

async function* loadHere(
  images: ImageList<ImageInput>,
  options: ReaderOptions,
): AsyncGenerator<LoadedImage, void, undefined> {
  const read = imageReader(options);
  for (let index = 0; index < images.length; index++) {
    const image = images.at(index)!;
    const path = inputName(image, index);
    let loaded: LoadedImage;
    try {
      loaded = { path, pixels: await read(await readyImage(image, index)) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      loaded = { path, error };
    }
    yield loaded;
  }
}

async function* loadInWorkers(
  images: ImageList<ImageInput>,
  options: ReaderOptions,
  threads: number,
  window: number,
): AsyncGenerator<LoadedImage, void, undefined> {
  const sharp = images.length >= imagesThatPayForSharp * threads && (await useSharp()) !== undefined;
  const replies = new Map<number, ImageReply>();
  const stopped = new AbortController();
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  let requested = 0;
  const workers = Array.from({ length: threads }, () => {
    // Without this process's flags: some, such as --input-type, prevent a thread from starting.
    const worker = new Worker(new URL("./image-worker.js", import.meta.url), {
      workerData: { ...options, sharp } satisfies WorkerOptions,
      execArgv: [],
    });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    return { worker, ended, load: 0 };
  });
  type Slot = (typeof workers)[number];
  const send = ({ worker }: Slot, index: number, image: ReadyImage): void => {
    const message: ImageMessage = { index, image };
    const isBytes = typeof image === "object" && "content" in image;
    worker.postMessage(message, isBytes ? [image.content.buffer] : []);
  };
  /** Images that are not in files are read here: a stream cannot be sent to a thread. */
  const readAndSend = async (slot: Slot, index: number, image: ImageInput): Promise<void> => {
    try {
      send(slot, index, await readyImage(image, index, stopped.signal));
    } catch (error) {
      slot.load -= 1;
      if (error instanceof InputError) {
        replies.set(index, { index, message: error.message, details: error.details });
      } else failure ??= error as Error;
      wake();
    }
  };
  try {
    for (const slot of workers) {
      slot.worker.on("message", (reply: ImageReply) => {
        slot.load -= 1;
        replies.set(reply.index, reply);
        wake();
      });
      slot.worker.on("error", (error) => {
        failure ??= error instanceof Error ? error : new Error(String(error));
        wake();
      });
      slot.worker.on("exit", (status) => {
        failure ??= new Error(`an image thread ended with status ${status}`);
        wake();
      });
    }
    for (let index = 0; index < images.length; index++) {
      for (;;) {
        // Images beyond the window are requested only as the caller consumes those before.
        for (; requested < Math.min(index + window, images.length); requested++) {
          const idlest = workers.reduce((best, slot) => (slot.load < best.load ? slot : best));
          idlest.load += 1;
          const image = images.at(requested)!;
          if (isSource(image)) send(idlest, requested, image);
          else void readAndSend(idlest, requested, image);
        }
        if (failure !== undefined) throw failure;
        if (replies.has(index)) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const reply = replies.get(index)!;
      replies.delete(index);
      const path = inputName(images.at(index)!, index);
      yield "pixels" in reply
        ? { path, pixels: reply.pixels }
        : { path, error: new InputError(reply.message, reply.details) };
    }
  } finally {
    stopped.abort();
    // Not terminate(): stopping a thread while it sets up a zlib stream aborts the process.
    for (const { worker } of workers) worker.postMessage("stop" satisfies ImageMessage);
    await Promise.all(workers.map(({ ended }) => ended));
  }
}
