/** Decodes many image files to the image tower's input, in worker threads while the caller computes. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PreprocessConfig } from "../../image/transform.ts";
import { InputError } from "../../errors/input-error.ts";
import { imageReader } from "./image-reader.ts";
import type { ImageMessage, ImageReply, ReaderOptions } from "./image-reader.ts";
import type { LoadedImage } from "../../tasks/embed-images.ts";
import { nameOf, type ImageSource } from "../../tasks/image-source.ts";

export interface ImageLoaderOptions {
  readonly config: PreprocessConfig;
  /** Worker threads; 0 decodes in the calling thread. Default: one per core, at most {@link mostWorkers}. */
  readonly workers?: number;
  /** How many images to decode before the caller asks for them, such as its batch size. Default: 0. */
  readonly ahead?: number;
  /** Apply the Exif orientation. Default: false, as in the reference. */
  readonly exifOrientation?: boolean;
}

export interface ImageLoader {
  /**
   * Yields one item per source, in their order. A file that cannot be read gives an item with an error; nothing is
   * thrown. Ending the iteration early stops the work and the threads.
   */
  load(sources: readonly ImageSource[]): AsyncGenerator<LoadedImage, void, undefined>;
}

/** The default limit: each thread holds the memory of its codecs, sized for the largest image so far. */
const mostWorkers = 8;

/** Starting a thread takes about as long as decoding two photographs. */
const fewestImagesForWorkers = 4;

/** Images queued per thread: the one being decoded and the next. */
const queuedPerWorker = 2;

export function imageLoader({
  config,
  workers,
  ahead = 0,
  exifOrientation = false,
}: ImageLoaderOptions): ImageLoader {
  const options: ReaderOptions = { config, exifOrientation };
  const wanted = workers ?? Math.min(availableParallelism(), mostWorkers);
  return {
    load: (sources) => {
      const threads = Math.min(wanted, sources.length);
      if (threads < 1 || sources.length < fewestImagesForWorkers) return loadHere(sources, options);
      return loadInWorkers(sources, options, threads, ahead + threads * queuedPerWorker);
    },
  };
}

async function* loadHere(
  sources: readonly ImageSource[],
  options: ReaderOptions,
): AsyncGenerator<LoadedImage, void, undefined> {
  const read = imageReader(options);
  for (const source of sources) {
    const path = nameOf(source);
    let loaded: LoadedImage;
    try {
      loaded = { path, pixels: await read(source) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      loaded = { path, error };
    }
    yield loaded;
  }
}

async function* loadInWorkers(
  sources: readonly ImageSource[],
  options: ReaderOptions,
  threads: number,
  window: number,
): AsyncGenerator<LoadedImage, void, undefined> {
  const replies = new Map<number, ImageReply>();
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  let requested = 0;
  const workers = Array.from({ length: threads }, () => {
    // Without this process's flags: some, such as --input-type, prevent a thread from starting.
    const worker = new Worker(new URL("./image-worker.js", import.meta.url), {
      workerData: options,
      execArgv: [],
    });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    return { worker, ended, load: 0 };
  });
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
    for (const [index, source] of sources.entries()) {
      for (;;) {
        // Images beyond the window are requested only as the caller consumes those before.
        for (; requested < Math.min(index + window, sources.length); requested++) {
          const idlest = workers.reduce((best, slot) => (slot.load < best.load ? slot : best));
          idlest.load += 1;
          idlest.worker.postMessage({ index: requested, source: sources[requested]! } satisfies ImageMessage);
        }
        if (failure !== undefined) throw failure;
        if (replies.has(index)) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const reply = replies.get(index)!;
      replies.delete(index);
      const path = nameOf(source);
      yield "pixels" in reply
        ? { path, pixels: reply.pixels }
        : { path, error: new InputError(reply.message, reply.details) };
    }
  } finally {
    // Not terminate(): stopping a thread while it sets up a zlib stream aborts the process.
    for (const { worker } of workers) worker.postMessage("stop" satisfies ImageMessage);
    await Promise.all(workers.map(({ ended }) => ended));
  }
}
