/** The worker of the studio's page: loads a model and runs passes, one after another. */
import simd from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url";
import plain from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url";
import jpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url";
import webp from "@jsquash/webp/codec/dec/webp_dec.wasm?url";
import { browserCodecs } from "../../lib/browser/codecs.ts";
import { fetchModel } from "../../lib/browser/fetch-model.ts";
import { wasmLoader } from "../../lib/browser/wasm-backend.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { startBackend } from "../../lib/tensor/backend.ts";
import { Passes } from "../../lib/trace/passes.ts";
import type { CallName, Calls, Reply, Request } from "./protocol.ts";

/** The global object of a worker; TypeScript's DOM library describes a window's. */
interface WorkerScope {
  postMessage(message: Reply, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
const running = new Map<number, AbortController>();
let queue: Promise<unknown> = Promise.resolve();
let passes: Promise<Passes> | undefined;

scope.addEventListener("message", ({ data }) => {
  if (data.call === "abort") {
    running.get(data.id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(data.id, controller);
  queue = queue
    .then(() => (controller.signal.aborted ? undefined : answer(data, controller.signal)))
    .finally(() => running.delete(data.id));
});

async function answer(request: Exclude<Request, { call: "abort" }>, signal: AbortSignal): Promise<void> {
  const { id } = request;
  try {
    const result = await run(request, signal);
    const transfer = result instanceof Float32Array ? [result.buffer as ArrayBuffer] : [];
    scope.postMessage({ id, result }, transfer);
  } catch (error) {
    if (signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ id, error: { message, isInput: error instanceof InputError } }, []);
  }
}

async function run(
  request: Exclude<Request, { call: "abort" }>,
  signal: AbortSignal,
): Promise<Calls[CallName]["result"]> {
  if (request.call === "open") return open(request);
  if (passes === undefined) throw new InputError("no model is loaded");
  const loaded = await passes;
  switch (request.call) {
    case "image":
      return loaded.image(request.params, signal);
    case "text":
      return loaded.text(request.params.text, signal);
    case "joint":
      return loaded.joint(request.params.image, request.params.text);
    case "read":
      return loaded.read(request.params.trace, request.params.tap);
    case "match": {
      const { images, labels, templates } = request.params;
      return loaded.match(images, labels, templates, signal);
    }
    case "tensors":
      return loaded.tensors();
  }
}

async function open({ id, params }: Extract<Request, { call: "open" }>): Promise<Calls["open"]["result"]> {
  const { name, folder, files } = params;
  const [{ description }, model] = await Promise.all([
    startBackend("wasm", [wasmLoader({ simd: absolute(simd), plain: absolute(plain) })]),
    fetchModel(folder, files, {
      onProgress: (loaded, total) => {
        scope.postMessage({ id, progress: [loaded, total] }, []);
      },
    }),
  ]);
  const opened = new Passes(model, browserCodecs({ jpeg: absolute(jpeg), webp: absolute(webp) }));
  passes = Promise.resolve(opened);
  return opened.info(name, description);
}

/** Relative to this script, wherever the page is served from. */
function absolute(url: string): string {
  return new URL(url, import.meta.url).href;
}
