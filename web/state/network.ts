/** Where the network runs, and how far it is: a worker of the page, or the server that sent the page. */
import { signal } from "@preact/signals";
import { version } from "virtual:version";
import type { ModelInfo } from "../../lib/studio/results.ts";
import { HttpClient } from "../worker/http-client.ts";
import { WorkerClient } from "../worker/client.ts";
import type { CallName, CallOptions, Calls, Client } from "../worker/protocol.ts";
import { notify, notifyError } from "./notices.ts";
import { takeToken } from "./token.ts";

export type ModelState =
  | { readonly status: "loading"; readonly loaded: number; readonly total: number }
  | { readonly status: "live"; readonly info: ModelInfo }
  | { readonly status: "failed"; readonly reason: string };

export const model = signal<ModelState>({ status: "loading", loaded: 0, total: 0 });

/** How many passes of other tabs the server runs first. */
export const queued = signal(0);

/** What the host says about itself; static hosts have the demo model alone. */
interface Site {
  /** The server that runs the network; null if the page runs the demo model. */
  readonly server: { readonly version: string } | null;
}

const demo = {
  name: "Demo model",
  folder: "demo/",
  files: {
    config: "open_clip_config.json",
    weights: "open_clip_model.safetensors",
    tokenizer: "tokenizer.json",
  },
};

let client: Client | null = null;

/** The network of the page. Other networks, such as a dropped model's, have clients of their own. */
export const network: Client = { call };

/** @throws NoticeError for wrong input; the signal's reason if it is aborted */
export function call<N extends CallName>(
  name: N,
  params: Calls[N]["params"],
  options?: CallOptions<Calls[N]["update"]>,
): Promise<Calls[N]["result"]> {
  if (client === null) throw new Error("the network is not open yet");
  return client.call(name, params, options);
}

/** Loads the model. @param onSite is told what the host has, before the model is loaded */
export async function openModel(onSite: (site: Site) => void): Promise<void> {
  try {
    const { server } = await fetchJson<Site>("studio.json");
    if (server !== null && server.version !== version) {
      notify(
        "warning",
        `The page is of version ${version}, the server of ${server.version}. Reload the page.`,
      );
    }
    onSite({ server });
    client = server
      ? new HttpClient(takeToken(), (waiting) => {
          queued.value = waiting;
        })
      : startWorker((reason) => {
          model.value = { status: "failed", reason };
        }).client;
    const folder = new URL(demo.folder, document.baseURI).href;
    const info = await client.call("open", server ? null : { ...demo, folder }, {
      onProgress: (loaded, total) => {
        model.value = { status: "loading", loaded, total };
      },
    });
    model.value = { status: "live", info };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    model.value = { status: "failed", reason };
    notifyError(error);
  }
}

/** A worker that has no model yet. @param onEnd is told why the worker has ended */
export function startWorker(onEnd: (reason: string) => void): {
  readonly worker: Worker;
  readonly client: WorkerClient;
} {
  const worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module" });
  const started = new WorkerClient(worker);
  worker.addEventListener("error", ({ message }) => {
    const reason = `The network stopped: ${message}. Reload the page.`;
    onEnd(reason);
    notify("error", reason);
    started.fail(new Error(reason));
  });
  return { worker, client: started };
}

/** @throws Error for another status than 200 */
export async function fetchJson<T>(path: string): Promise<T> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: expected status 200, found ${response.status}`);
  return (await response.json()) as T;
}
