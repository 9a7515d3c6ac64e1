/** A studio's server with the network of the demo model, as `clipscope studio --model` serves it. */
import { setTimeout } from "node:timers/promises";
import { nodeHost } from "../../lib/node/host.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { CallServer } from "../../lib/node/studio-server/call-server.ts";
import { studioManifest } from "../../lib/node/studio-server/manifest.ts";
import { serveStudio, type StudioServer } from "../../lib/node/studio-server/server.ts";
import { Spool } from "../../lib/node/studio-server/spool.ts";
import { Passes } from "../../lib/studio/passes.ts";
import { packageInfo } from "../../cli/package-info.ts";
import type { WritableTrace } from "../../lib/trace/trace-source.ts";

export interface NetworkOptions {
  /** The folder of the spool's folder. */
  readonly parent: string;
  readonly port?: number;
  /** In milliseconds, for each block: a large model on a small one's weights. Can change. */
  readonly delay?: { milliseconds: number };
}

export async function serveNetwork({
  parent,
  port = 0,
  delay = { milliseconds: 0 },
}: NetworkOptions): Promise<StudioServer> {
  const { version } = packageInfo();
  const spool = await Spool.create(parent);
  const newTrace = async (): Promise<WritableTrace> => slowed(await spool.newTrace(), delay);
  const model = await loadModel(demoModel, { backend: "wasm" });
  const passes = new Passes(model, nodeCodecs(), { naming: nodeHost, newTrace });
  const calls = new CallServer(passes, await passes.info("demo-model", "wasm with SIMD"), version);
  const server = await serveStudio(await studioManifest({ version }), port, calls);
  return {
    ...server,
    close: async () => {
      await server.close();
      await model.dispose();
      await spool.close();
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
