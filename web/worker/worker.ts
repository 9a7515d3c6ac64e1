/** The worker of the studio's page: loads a model and runs passes, one after another. */
import simd from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url";
import plain from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url";
import jpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url";
import webp from "@jsquash/webp/codec/dec/webp_dec.wasm?url";
import { browserCodecs } from "../../lib/browser/codecs.ts";
import { blobFolder, httpFolder } from "../../lib/browser/model-folder.ts";
import { readModel } from "../../lib/browser/read-model.ts";
import { wasmLoader } from "../../lib/browser/wasm-backend.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { startBackend } from "../../lib/tensor/backend.ts";
import type { Answer, Context } from "../../lib/studio/answer.ts";
import { answers } from "../../lib/studio/answers.ts";
import { Passes } from "../../lib/studio/passes.ts";
import type { CallName, Calls, ModelPlace, Question, Reply, Request } from "./protocol.ts";

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

async function answer(question: Question, signal: AbortSignal): Promise<void> {
  const { id } = question;
  try {
    const result = await resultOf(question, {
      signal,
      progress: (...progress) => {
        scope.postMessage({ id, progress }, []);
      },
      update: (update) => {
        scope.postMessage({ id, update }, []);
      },
    });
    const transfer = result instanceof Float32Array ? [result.buffer as ArrayBuffer] : [];
    scope.postMessage({ id, result }, transfer);
  } catch (error) {
    if (signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ id, error: { message, isInput: error instanceof InputError } }, []);
  }
}

async function resultOf(question: Question, context: Context): Promise<Calls[CallName]["result"]> {
  if (question.call === "open") return open(question.params!, context);
  if (passes === undefined) throw new InputError("no model is loaded");
  // The parameters of a call belong to its name, which TypeScript cannot follow through the table.
  const answerOf = answers[question.call] as Answer<unknown, Calls[CallName]["result"]>;
  return answerOf(await passes, question.params, context);
}

async function open(
  { name, folder, files }: ModelPlace,
  { progress }: Context,
): Promise<Calls["open"]["result"]> {
  const directory = typeof folder === "string" ? httpFolder(folder, progress) : blobFolder(name, folder);
  const [{ description }, model] = await Promise.all([
    startBackend("wasm", [wasmLoader({ simd: absolute(simd), plain: absolute(plain) })]),
    readModel(directory, files),
  ]);
  const opened = new Passes(model, browserCodecs({ jpeg: absolute(jpeg), webp: absolute(webp) }));
  passes = Promise.resolve(opened);
  return opened.info(name, description);
}

/** Relative to this script, wherever the page is served from. */
function absolute(url: string): string {
  return new URL(url, import.meta.url).href;
}
