/** A studio's server with the network of the demo model, as `clipscope studio --model` serves it. */
import { setTimeout } from "node:timers/promises";
import { packageInfo } from "../../cli/package-info.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { serveModel } from "../../lib/node/studio-server/serve-model.ts";
import type { StudioServer } from "../../lib/node/studio-server/server.ts";
import type { WritableTrace } from "../../lib/trace/trace-source.ts";

export interface NetworkOptions {
  /** The folder of the spool's folder. */
  readonly parent: string;
  readonly port?: number;
  /** For each block: a large model's time on a small one's weights. Can change. */
  readonly delay?: { milliseconds: number };
}

export async function serveNetwork({
  parent,
  port = 0,
  delay = { milliseconds: 0 },
}: NetworkOptions): Promise<StudioServer> {
  const model = await loadModel(demoModel, { backend: "wasm" });
  const server = await serveModel(model, {
    name: "demo-model",
    backend: "wasm with SIMD",
    version: packageInfo().version,
    port,
    parent,
    wrapTrace: (trace) => slowed(trace, delay),
  });
  return {
    ...server,
    close: async () => {
      await server.close();
      await model.dispose();
    },
  };
}

/** Keeps the blocks of a pass waiting. */
function slowed(trace: WritableTrace, delay: { readonly milliseconds: number }): WritableTrace {
  const add = trace.add.bind(trace);
  trace.add = async (name, shape, values) => {
    if (/(resblocks|layer)\.\d+$/.test(name)) await setTimeout(delay.milliseconds);
    await add(name, shape, values);
  };
  return trace;
}
