/** A worker thread of image-loader.ts: receives images, answers with pixels or errors. */
import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../../errors/input-error.ts";
import { useSharp } from "./codecs.ts";
import type { ImageMessage, ImageReply, ImageRequest, WorkerOptions } from "./image-reader.ts";
import { imageReader } from "./image-reader.ts";

if (parentPort === null) throw new Error("image-worker runs as a worker thread only");
const port = parentPort;
const { sharp, ...options } = workerData as WorkerOptions;
const read = imageReader(options);
if (sharp) void useSharp();

let isStopping = false;

async function answer({ index, image }: ImageRequest): Promise<void> {
  if (isStopping) return;
  try {
    const pixels = await read(image);
    const reply: ImageReply = { index, pixels };
    port.postMessage(reply, [pixels.buffer as ArrayBuffer]);
  } catch (error) {
    // A bug ends the thread: its "error" event carries the stack.
    if (!(error instanceof InputError)) throw error;
    const reply: ImageReply = { index, message: error.message, details: error.details };
    port.postMessage(reply);
  }
}

// One image at a time: decoding two at once in one thread would only take more memory.
let last: Promise<void> = Promise.resolve();
port.on("message", (message: ImageMessage) => {
  if (message === "stop") {
    isStopping = true;
    port.close();
  } else {
    last = last.then(() => answer(message));
  }
});
