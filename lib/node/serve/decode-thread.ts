/**
 * A thread that decodes one image at a time, so that a large image delays neither the network nor other requests, and
 * takes memory once. An image that takes too long, or that ends the thread, fails alone.
 */
import { Worker } from "node:worker_threads";
import { InputError } from "../../errors/input-error.ts";
import type { StoredImage } from "../../tasks/image-source.ts";
import type { ImageBytes } from "../images/image-content.ts";
import type { ReaderOptions } from "../images/image-reader.ts";

export type DecodeRequest =
  | { readonly pixels: ImageBytes }
  | { readonly thumbnail: { readonly source: StoredImage; readonly side: number } };

export type DecodeReply =
  | { readonly pixels: Float32Array }
  | { readonly jpeg: Uint8Array<ArrayBuffer> }
  | { readonly message: string };

interface Job {
  readonly request: DecodeRequest;
  readonly resolve: (reply: DecodeReply) => void;
  readonly reject: (error: Error) => void;
}

export interface DecodeThreadOptions extends ReaderOptions {
  /** In milliseconds. Default: 30,000. */
  readonly timeout?: number;
}

export class DecodeThread {
  readonly #options: ReaderOptions;
  readonly #timeout: number;
  readonly #waiting: Job[] = [];
  #worker: Worker | null = null;
  #current: Job | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ timeout = 30_000, ...options }: DecodeThreadOptions) {
    this.#options = options;
    this.#timeout = timeout;
  }

  /** @returns [3, H, W] @throws InputError if it is not a readable image; the signal's reason */
  async pixels(image: ImageBytes, signal: AbortSignal): Promise<Float32Array> {
    return ((await this.#ask({ pixels: image }, signal)) as { readonly pixels: Float32Array }).pixels;
  }

  /** @param side of the square that it fits into @returns a JPEG file @throws as `pixels` */
  async thumbnail(source: StoredImage, side: number, signal: AbortSignal): Promise<Uint8Array> {
    const reply = await this.#ask({ thumbnail: { source, side } }, signal);
    return (reply as { readonly jpeg: Uint8Array }).jpeg;
  }

  /** Ends the thread. What waits fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the thread is closed"));
    await this.#restart(new Error("the thread is closed"));
  }

  async #ask(request: DecodeRequest, signal: AbortSignal): Promise<DecodeReply> {
    signal.throwIfAborted();
    if (this.#isClosed) return Promise.reject(new Error("the thread is closed"));
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        const at = this.#waiting.indexOf(job);
        if (at !== -1) this.#waiting.splice(at, 1);
        reject(signal.reason as Error);
      };
      const job: Job = {
        request,
        resolve: (reply) => {
          signal.removeEventListener("abort", giveUp);
          if ("message" in reply) reject(new InputError(reply.message));
          else resolve(reply);
        },
        reject: (error) => {
          signal.removeEventListener("abort", giveUp);
          reject(error);
        },
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.push(job);
      this.#next();
    });
  }

  #next(): void {
    if (this.#current !== null) return;
    this.#current = this.#waiting.shift() ?? null;
    if (this.#current === null) return;
    this.#worker ??= this.#start();
    this.#timer = setTimeout(() => {
      const seconds = this.#timeout / 1000;
      void this.#restart(
        new InputError(`image: expected one that is decoded within ${seconds} s; make it smaller`),
      );
    }, this.#timeout);
    this.#worker.ref();
    this.#worker.postMessage(this.#current.request);
  }

  #start(): Worker {
    // Without this process's flags: some, such as --input-type, prevent a thread from starting.
    const worker = new Worker(new URL("./decode-worker.js", import.meta.url), {
      workerData: this.#options,
      execArgv: [],
    });
    worker.on("message", (reply: DecodeReply) => {
      // The process may end while the thread waits.
      worker.unref();
      this.#end((job) => {
        job.resolve(reply);
      });
    });
    worker.on("error", (error: Error) => {
      if (worker === this.#worker) void this.#restart(error);
    });
    return worker;
  }

  /** Fails the current image, and starts a new thread with the next one. */
  async #restart(error: Error): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    this.#end((job) => {
      job.reject(error);
    });
    await worker?.terminate();
  }

  #end(settle: (job: Job) => void): void {
    clearTimeout(this.#timer);
    const job = this.#current;
    this.#current = null;
    if (job !== null) settle(job);
    this.#next();
  }
}
