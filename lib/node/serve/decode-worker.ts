/** The worker of decode-thread.ts: decodes images of queries, and makes thumbnails of those of an index. */
import { parentPort, workerData } from "node:worker_threads";
import { encodeJpeg } from "../../draw/jpeg.ts";
import { InputError } from "../../errors/input-error.ts";
import { imageReader, type ReaderOptions } from "../images/image-reader.ts";
import { thumbnail } from "../images/thumbnail.ts";
import type { DecodeReply, DecodeRequest } from "./decode-thread.ts";

if (parentPort === null) throw new Error("decode-worker runs as a worker thread only");
const port = parentPort;
const read = imageReader(workerData as ReaderOptions);

async function answer(request: DecodeRequest): Promise<Exclude<DecodeReply, { readonly message: string }>> {
  if ("pixels" in request) return { pixels: await read(request.pixels) };
  const { source, side } = request.thumbnail;
  return { jpeg: await encodeJpeg(await thumbnail(source, side)) };
}

port.on("message", (request: DecodeRequest) => {
  void answer(request).then(
    (reply) => {
      port.postMessage(reply, [("pixels" in reply ? reply.pixels : reply.jpeg).buffer as ArrayBuffer]);
    },
    (error: unknown) => {
      // A bug ends the thread: its "error" event carries the stack.
      if (!(error instanceof InputError)) throw error;
      port.postMessage({ message: error.message } satisfies DecodeReply);
    },
  );
});
