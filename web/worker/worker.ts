/** The worker of the studio's page: loads a model and runs passes, one after another. */
import simd from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url";
import plain from "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url";
import jpeg from "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url";
import webp from "@jsquash/webp/codec/dec/webp_dec.wasm?url";
import { version } from "virtual:version";
import { browserCodecs } from "../../lib/browser/codecs.ts";
import { blobFolder, httpFolder } from "../../lib/browser/model-folder.ts";
import { readModel } from "../../lib/browser/read-model.ts";
import { wasmLoader } from "../../lib/browser/wasm-backend.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { assertFitsGpu, type GpuLimits } from "../../lib/tensor/gpu-limits.ts";
import { startBackend, type BackendInfo } from "../../lib/tensor/backend.ts";
import type { Answer, Context } from "../../lib/studio/answer.ts";
import { answers } from "../../lib/studio/answers.ts";
import { Passes } from "../../lib/studio/passes.ts";
import type { CallName, Calls, ModelPlace, PageBackend } from "./protocol.ts";
import { serveCalls } from "./serve.ts";

let passes: Promise<Passes> | undefined;

serveCalls(async (name, params, context) => {
  if (name === "open") return open(params as ModelPlace, context);
  if (passes === undefined) throw new InputError("no model is loaded");
  // The parameters of a call belong to its name, which TypeScript cannot follow through the table.
  const answerOf = answers[name as Exclude<CallName, "open">] as Answer<unknown, unknown, unknown>;
  return answerOf(await passes, params, context);
});

async function open(
  { name, folder, files, backend = "wasm" }: ModelPlace,
  { progress }: Context<unknown>,
): Promise<Calls["open"]["result"]> {
  const directory = typeof folder === "string" ? httpFolder(folder, progress) : blobFolder(name, folder);
  const [{ description, limits, fallback }, model] = await Promise.all([
    start(backend),
    readModel(directory, files),
  ]);
  if (limits !== undefined) assertFitsGpu(model.weights, limits);
  const opened = new Passes(model, browserCodecs({ jpeg: absolute(jpeg), webp: absolute(webp) }), {
    naming: { madeBy: `clipscope ${version}`, modelName: () => name },
  });
  passes = Promise.resolve(opened);
  return { ...(await opened.info(name, description)), ...(fallback !== undefined && { fallback }) };
}

interface Started {
  readonly description: string;
  readonly limits?: GpuLimits;
  readonly fallback?: string;
}

/** The backend that is asked for; wasm if the browser gives no GPU. */
async function start(backend: PageBackend): Promise<Started> {
  if (backend === "wasm") return startWasm();
  try {
    const { browserWebgpuLoader, webgpuLimits } = await import("../../lib/browser/webgpu-backend.ts");
    const { description } = await startBackend("webgpu", [browserWebgpuLoader]);
    return { description, limits: webgpuLimits() };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...(await startWasm()), fallback: error.message };
  }
}

function startWasm(): Promise<BackendInfo> {
  return startBackend("wasm", [wasmLoader({ simd: absolute(simd), plain: absolute(plain) })]);
}

/** Relative to this script, wherever the page is served from. */
function absolute(url: string): string {
  return new URL(url, import.meta.url).href;
}
