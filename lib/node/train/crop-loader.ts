/**
 * Batches of random crops, read in worker threads while the network trains.
 *
 * Batch b is read by worker b mod n, whose generator has the seed `workerSeed` + its number: the crops are those of
 * PyTorch's DataLoader. Without workers, they come from the main generator.
 *
 * Source: torch/utils/data/_utils/worker.py, dataloader.py (_MultiProcessingDataLoaderIter).
 */
import { Worker } from "node:worker_threads";
import { InputError } from "../../errors/input-error.ts";
import type { AugmentationRandom } from "../../image/augmentation.ts";
import type { ImageList } from "../../tasks/image-list.ts";
import type { ImageSource } from "../../tasks/image-source.ts";
import { cropReader, type CropOptions } from "./crop-reader.ts";
import type { CropReply, CropRequest, CropWorkerData } from "./crop-worker.ts";

export interface CropLoaderOptions extends CropOptions {
  readonly workers: number;
  readonly workerSeed: bigint;
  /** The main generators, which are used without workers. */
  readonly random: AugmentationRandom;
}

/** Batches per worker that are read ahead, as in PyTorch. */
const aheadPerWorker = 2;

/**
 * @param batches the numbers of the images of each batch
 * @returns the pixels of each batch, [images, 3, height, width]
 * @throws InputError for an image that cannot be read
 */
export async function* loadCrops(
  images: ImageList<ImageSource>,
  batches: readonly (readonly number[])[],
  { workers, workerSeed, random, ...options }: CropLoaderOptions,
): AsyncGenerator<Float32Array, void, undefined> {
  const imagesOf = (batch: readonly number[]): ImageSource[] => batch.map((i) => images.at(i)!);
  if (workers === 0) {
    const read = cropReader(options);
    for (const batch of batches) yield await read(imagesOf(batch), random);
    return;
  }
  const replies = new Map<number, CropReply>();
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const threads = Array.from({ length: workers }, (_, i) => {
    const data: CropWorkerData = { ...options, seed: workerSeed + BigInt(i) };
    const worker = new Worker(new URL("./crop-worker.js", import.meta.url), {
      workerData: data,
      execArgv: [],
    });
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.on("message", (reply: CropReply) => {
      replies.set(reply.batch, reply);
      wake();
    });
    worker.on("error", (error) => {
      failure ??= error instanceof Error ? error : new Error(String(error));
      wake();
    });
    worker.on("exit", (status) => {
      failure ??= new Error(`an image thread ended with status ${status}`);
      wake();
    });
    return { worker, ended };
  });
  const send = (batch: number): void => {
    if (batch >= batches.length) return;
    const request: CropRequest = { batch, images: imagesOf(batches[batch]!) };
    threads[batch % workers]!.worker.postMessage(request);
  };
  try {
    for (let batch = 0; batch < workers * aheadPerWorker; batch++) send(batch);
    for (let batch = 0; batch < batches.length; batch++) {
      while (!replies.has(batch)) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const reply = replies.get(batch)!;
      replies.delete(batch);
      send(batch + workers * aheadPerWorker);
      if ("message" in reply) throw new InputError(reply.message, reply.details);
      yield reply.pixels;
    }
  } finally {
    // Not terminate(): stopping a thread while it sets up a zlib stream aborts the process.
    for (const { worker } of threads) worker.postMessage("stop" satisfies CropRequest);
    await Promise.all(threads.map(({ ended }) => ended));
  }
}
