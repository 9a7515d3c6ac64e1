/** A studio's server with the network of the demo model, as `clipscope studio --model` serves it. */
import { setTimeout } from "node:timers/promises";
import { packageInfo } from "../../cli/package-info.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { serveModel } from "../../lib/node/studio-server/serve-model.ts";
import type { StudioServer } from "../../lib/node/studio-server/server.ts";
import type { WritableTrace } from "../../lib/trace/trace-source.ts";

/** How passes run: a large model's time on a small one's weights. Can change while one runs. */
export interface Pace {
  /** For each block. */
  milliseconds: number;
  /** Whether passes stop before their third block's values, until it changes. */
  isHeld: boolean;
}

export interface NetworkOptions {
  /** The folder of the spool's folder. */
  readonly parent: string;
  readonly port?: number;
  readonly pace?: Readonly<Pace>;
}

export async function serveNetwork({
  parent,
  port = 0,
  pace = { milliseconds: 0, isHeld: false },
}: NetworkOptions): Promise<StudioServer> {
  const model = await loadModel(demoModel, { backend: "wasm" });
  const server = await serveModel(model, {
    name: "demo-model",
    backend: "wasm with SIMD",
    version: packageInfo().version,
    port,
    parent,
    wrapTrace: (trace) => paced(trace, pace),
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
function paced(trace: WritableTrace, pace: Readonly<Pace>): WritableTrace {
  const add = trace.add.bind(trace);
  trace.add = async (name, shape, values) => {
    const [, block] = /(?:resblocks|layer)\.(\d+)$/.exec(name) ?? [];
    if (block !== undefined) await setTimeout(pace.milliseconds);
    while (pace.isHeld && block === "2") await setTimeout(10);
    await add(name, shape, values);
  };
  return trace;
}
