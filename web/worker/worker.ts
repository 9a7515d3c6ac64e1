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
import { startBackend } from "../../lib/tensor/backend.ts";
import type { Answer, Context } from "../../lib/studio/answer.ts";
import { answers } from "../../lib/studio/answers.ts";
import { Passes } from "../../lib/studio/passes.ts";
import type { CallName, Calls, ModelPlace } from "./protocol.ts";
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
  { name, folder, files }: ModelPlace,
  { progress }: Context<unknown>,
): Promise<Calls["open"]["result"]> {
  const directory = typeof folder === "string" ? httpFolder(folder, progress) : blobFolder(name, folder);
  const [{ description }, model] = await Promise.all([
    startBackend("wasm", [wasmLoader({ simd: absolute(simd), plain: absolute(plain) })]),
    readModel(directory, files),
  ]);
  const opened = new Passes(model, browserCodecs({ jpeg: absolute(jpeg), webp: absolute(webp) }), {
    naming: { madeBy: `clipscope ${version}`, modelName: () => name },
  });
  passes = Promise.resolve(opened);
  return opened.info(name, description);
}

/** Relative to this script, wherever the page is served from. */
function absolute(url: string): string {
  return new URL(url, import.meta.url).href;
}
