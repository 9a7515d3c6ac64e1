/** The studio's server with a network, and the folder of its traces. */
import type { Clip } from "../../clip/clip.ts";
import { Passes } from "../../studio/passes.ts";
import type { WritableTrace } from "../../trace/trace-source.ts";
import { nodeHost } from "../host.ts";
import { nodeCodecs } from "../images/codecs.ts";
import { CallServer } from "./call-server.ts";
import { studioManifest } from "./manifest.ts";
import { serveStudio, type StudioServer } from "./server.ts";
import { Spool } from "./spool.ts";

/** In bytes: five passes of a ViT-H's image tower. The oldest are deleted beyond it. */
const mostSpooled = 4e9;

export interface ServeModelOptions {
  /** What the page calls the model. */
  readonly name: string;
  /** A description of the backend. */
  readonly backend: string;
  /** Of this program; the page compares it with its own. */
  readonly version: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The folder in which the traces' folder is made. Default: the system's temporary folder. */
  readonly parent?: string;
  /** Changes each new trace; specs slow passes down. */
  readonly wrapTrace?: (trace: WritableTrace) => WritableTrace;
}

/**
 * Serves the page, whose network is this model. The server's `close` deletes the traces; the caller disposes the model.
 *
 * @throws InputError if the port is taken, the page is not built, or no folder for traces can be made
 */
export async function serveModel(
  model: Clip,
  { name, backend, version, port, parent, wrapTrace = (trace) => trace }: ServeModelOptions,
): Promise<StudioServer> {
  const manifest = await studioManifest({ version });
  const spool = await Spool.create(parent);
  try {
    const passes = new Passes(model, nodeCodecs(), {
      naming: nodeHost,
      newTrace: async () => wrapTrace(await spool.newTrace()),
      mostKept: mostSpooled,
    });
    const calls = new CallServer(passes, await passes.info(name, backend), version);
    const served = await serveStudio(manifest, port, calls);
    return {
      ...served,
      close: async () => {
        await served.close();
        await spool.close();
      },
    };
  } catch (error) {
    await spool.close();
    throw error;
  }
}
