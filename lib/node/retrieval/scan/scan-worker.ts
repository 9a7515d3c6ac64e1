/** The worker of scan-thread.ts: holds codes, answers scans. */
import { parentPort } from "node:worker_threads";
import { InputError } from "../../../errors/input-error.ts";
import { scanCodes, type CodeSegment } from "../../../retrieval/scan/scan-codes.ts";
import { scanKernel } from "./scan-kernel.ts";
import type { FoundRows, ThreadReply, ThreadRequest } from "./scan-thread.ts";
import { loadSegments } from "./segments.ts";

if (parentPort === null) throw new Error("scan-worker runs as a worker thread only");
const port = parentPort;
let segments: readonly CodeSegment[] = [];

async function answer(request: ThreadRequest): Promise<ThreadReply> {
  if ("open" in request) {
    segments = await loadSegments(request.open.places, scanKernel(request.open.kernel));
    return { rows: segments.reduce((sum, { rows }) => sum + rows, 0) };
  }
  const { queries, wanted, mask } = request.scan;
  const found = scanCodes(segments, queries, wanted, mask).map((rows) => ({
    ids: Float64Array.from(rows, ({ id }) => id),
    scores: Float64Array.from(rows, ({ score }) => score),
  }));
  return { found };
}

function buffersOf(found: readonly FoundRows[]): ArrayBuffer[] {
  return found.flatMap(({ ids, scores }) => [ids.buffer, scores.buffer]);
}

let last: Promise<void> = Promise.resolve();
port.on("message", (request: ThreadRequest) => {
  last = last.then(async () => {
    try {
      const reply = await answer(request);
      port.postMessage(reply, "found" in reply ? buffersOf(reply.found) : []);
    } catch (error) {
      // A bug ends the thread: its "error" event carries the stack.
      if (!(error instanceof InputError)) throw error;
      port.postMessage({ message: error.message, details: error.details } satisfies ThreadReply);
    }
  });
});
