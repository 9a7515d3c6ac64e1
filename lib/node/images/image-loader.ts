/** Many image files to the image tower's input, decoded in worker threads while the caller computes. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PreprocessConfig } from "../../image/transform.ts";
import { InputError } from "../../errors/input-error.ts";
import { imageReader } from "./image-reader.ts";
import type { ImageMessage, ImageReply, ReaderOptions } from "./image-reader.ts";
import { nameOf, type ImageSource } from "./image-source.ts";

export interface ImageLoaderOptions {
  readonly config: PreprocessConfig;
  /** Worker threads; 0 decodes in this one. By default one for each core, at most {@link DEFAULT_WORKERS}. */
  readonly workers?: number;
  /** Pictures that are decoded before the caller asks for them, so that a batch is there when it does. Default: 0. */
  readonly ahead?: number;
  /** Turn pictures as their Exif orientation says. The reference does not, so false unless asked. */
  readonly exifOrientation?: boolean;
}

/** `path` is the source's name, `pixels` is float32 [3, height, width]. */
export type LoadedImage =
  | { readonly path: string; readonly pixels: Float32Array }
  | { readonly path: string; readonly error: InputError };

export interface ImageLoader {
  /**
   * Yields one item per source, in their order. Files that cannot be read are items too, not exceptions.
   *
   * Ending the iteration early stops the work and the threads.
   */
  load(sources: readonly ImageSource[]): AsyncGenerator<LoadedImage, void, undefined>;
}

/** Each holds a codec with the largest picture that it has met. */
const DEFAULT_WORKERS = 8;

/** Starting a thread takes about as long as decoding two photographs. */
const FEWEST_FOR_WORKERS = 4;

/** Pictures under way, per thread: the one in its hands and the next. */
const UNDER_WAY = 2;

export function imageLoader({
  config,
  workers,
  ahead = 0,
  exifOrientation = false,
}: ImageLoaderOptions): ImageLoader {
  const options: ReaderOptions = { config, exifOrientation };
  const wanted = workers ?? Math.min(availableParallelism(), DEFAULT_WORKERS);
  return {
    load: (sources) => {
      const threads = Math.min(wanted, sources.length);
      if (threads < 1 || sources.length < FEWEST_FOR_WORKERS) return loadHere(sources, options);
      return loadInWorkers(sources, options, threads, ahead + threads * UNDER_WAY);
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
  let asked = 0;
  const workers = Array.from({ length: threads }, () => {
    // Without this process's own flags: --input-type, for one, keeps a thread from starting.
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
        // What is behind the window is asked for only when the caller takes what is in front.
        for (; asked < Math.min(index + window, sources.length); asked++) {
          const idlest = workers.reduce((best, slot) => (slot.load < best.load ? slot : best));
          idlest.load += 1;
          idlest.worker.postMessage({ index: asked, source: sources[asked]! } satisfies ImageMessage);
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
    // Not terminate(): a thread that is stopped between making zlib's stream and starting it aborts the process.
    for (const { worker } of workers) worker.postMessage("leave" satisfies ImageMessage);
    await Promise.all(workers.map(({ ended }) => ended));
  }
}
