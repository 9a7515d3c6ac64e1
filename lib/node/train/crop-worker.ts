/** A worker thread of crop-loader.ts: PyTorch's DataLoader worker, with a generator of its own. */
import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../../errors/input-error.ts";
import type { ImageSource } from "../../tasks/image-source.ts";
import { PythonRandom } from "../../tensor/python-random.ts";
import { TorchRandom } from "../../tensor/torch-random.ts";
import { cropReader, type CropOptions } from "./crop-reader.ts";

export interface CropWorkerData extends CropOptions {
  readonly seed: bigint;
}

/** A batch; "stop" ends the thread. */
export type CropRequest = { readonly batch: number; readonly images: readonly ImageSource[] } | "stop";

/** [images, 3, height, width], or the parts of an InputError. */
export type CropReply =
  | { readonly batch: number; readonly pixels: Float32Array }
  | { readonly batch: number; readonly message: string; readonly details: readonly string[] };

if (parentPort === null) throw new Error("crop-worker runs as a worker thread only");
const port = parentPort;
const { seed, ...options } = workerData as CropWorkerData;
const random = { torch: new TorchRandom(Number(seed & 0xffffffffn)), python: PythonRandom.seeded(seed) };
const read = cropReader(options);

let last: Promise<void> = Promise.resolve();
let isStopping = false;

async function answer(batch: number, images: readonly ImageSource[]): Promise<void> {
  if (isStopping) return;
  try {
    const pixels = await read(images, random);
    port.postMessage({ batch, pixels } satisfies CropReply, [pixels.buffer as ArrayBuffer]);
  } catch (error) {
    // A bug ends the thread: its "error" event carries the stack.
    if (!(error instanceof InputError)) throw error;
    port.postMessage({ batch, message: error.message, details: error.details } satisfies CropReply);
  }
}

// One batch after another, as the generator's numbers belong to the images in their order.
port.on("message", (request: CropRequest) => {
  if (request === "stop") {
    isStopping = true;
    port.close();
  } else {
    last = last.then(() => answer(request.batch, request.images));
  }
});
