/** Where the network runs, and how far it is: a worker of the page, or the server that sent the page. */
import { computed, effect, signal } from "@preact/signals";
import { version } from "virtual:version";
import type { ModelInfo } from "../../lib/studio/results.ts";
import { HttpClient, type DisconnectedError } from "../worker/http-client.ts";
import { WorkerClient } from "../worker/client.ts";
import {
  DeviceLostError,
  type CallName,
  type CallOptions,
  type Calls,
  type Client,
  type PageBackend,
} from "../worker/protocol.ts";
import { isEmbedded } from "./embedded.ts";
import { adjust, route } from "./navigation.ts";
import { notify, notifyError, withdraw } from "./notices.ts";
import { keepOffline } from "./offline.ts";
import { token } from "./token.ts";

export type ModelState =
  | { readonly status: "loading"; readonly loaded: number; readonly total: number }
  | { readonly status: "live"; readonly info: ModelInfo }
  /** The server has gone; what it has answered stays. */
  | { readonly status: "lost"; readonly info: ModelInfo; readonly reason: string }
  | { readonly status: "failed"; readonly reason: string };

export const model = signal<ModelState>({ status: "loading", loaded: 0, total: 0 });

/** How many questions the server answers first, of other tabs too. */
export const queued = signal(0);

/** What the host says about itself; static hosts have the demo model alone. */
interface Site {
  /** The server that runs the network; null if the page runs the demo model. */
  readonly server: { readonly version: string } | null;
  /** The version of a static site's files; absent if the host is no such site. */
  readonly offline?: string;
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

/** Whether the network runs in the server, not in a worker of the page. */
export const runsInServer = signal(false);

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
  const asked = client;
  return asked.call(name, params, options).catch((error: unknown) => {
    if (error instanceof DeviceLostError && asked === client) leaveGpu(error);
    throw error;
  });
}

/** Loads the model. @param onSite is told what the host has, before the model is loaded */
export async function openModel(onSite: (site: Site) => void): Promise<void> {
  try {
    const { server, offline } = await fetchJson<Site>("studio.json");
    onSite({ server });
    if (server === null) openDemo();
    else openServer(server.version);
    if (offline !== undefined && !isEmbedded) await keepOffline(offline);
  } catch (error) {
    fail(error);
  }
}

/** Opens the demo model on the backend that the address names, and again when that changes. */
function openDemo(): void {
  const backend = computed(() => route.value.backend);
  effect(() => {
    if (backend.value === current) return;
    current = backend.value;
    model.value = { status: "loading", loaded: 0, total: 0 };
    openOn(backend.value).catch(fail);
  });
}

/** The backend of the worker of the page; null before it is started. */
let current: PageBackend | null = null;
let stopWorker: () => void = () => undefined;

async function openOn(backend: PageBackend): Promise<void> {
  stopWorker();
  const started = startWorker((reason) => {
    model.value = { status: "failed", reason };
  });
  stopWorker = () => {
    started.worker.terminate();
  };
  client = started.client;
  const folder = new URL(demo.folder, document.baseURI).href;
  const { fallback, ...info } = await started.client.call(
    "open",
    { ...demo, folder, backend },
    {
      onProgress: (loaded, total) => {
        if (client === started.client) model.value = { status: "loading", loaded, total };
      },
    },
  );
  if (client !== started.client) return; // the user has chosen another backend meanwhile
  if (fallback !== undefined) {
    notify("warning", `The network runs on WebAssembly: ${fallback}`);
    current = "wasm";
    adjust({ backend: current });
  }
  model.value = { status: "live", info };
}

/** Continues on wasm, with a new worker. What is shown stays until it is computed again. */
function leaveGpu({ message }: DeviceLostError): void {
  notify("warning", `The network runs on WebAssembly now: ${message}`);
  adjust({ backend: "wasm" });
}

function openServer(served: string): void {
  compareVersions(served);
  const server = new HttpClient({
    token: () => token.peek(),
    onQueue: (place) => (queued.value = place),
    onLost: lose,
  });
  client = server;
  runsInServer.value = true;
  // A server that was started again prints an address with another token, which the user may open in this tab.
  token.subscribe(() => {
    if (model.peek().status !== "live") server.call("open", null).then(goLive, fail);
  });
}

function goLive(info: ModelInfo): void {
  const state = model.peek();
  if (state.status === "lost") {
    withdraw(state.reason);
    fetchJson<Site>("studio.json").then(({ server }) => {
      compareVersions(server?.version ?? version);
    }, notifyError);
  }
  model.value = { status: "live", info };
}

function compareVersions(served: string): void {
  if (served === version) return;
  notify("warning", `The page is of version ${version}, the server of ${served}. Reload the page.`);
}

function fail(error: unknown): void {
  notifyError(error);
  if (model.peek().status === "lost") return;
  model.value = { status: "failed", reason: error instanceof Error ? error.message : String(error) };
}

/** In milliseconds, between two questions whether the server is back. */
const pause = 2000;

/** Keeps what is shown, and asks until the server answers again. */
function lose(error: DisconnectedError): void {
  const state = model.peek();
  if (!("info" in state)) return;
  if (state.status !== "lost" || state.reason !== error.message) {
    if (state.status === "lost") withdraw(state.reason);
    model.value = { status: "lost", info: state.info, reason: error.message };
    notifyError(error);
  }
  if (error.isRefused) return; // until the user opens another address
  setTimeout(() => {
    if (model.peek().status === "lost") call("open", null).then(goLive, () => undefined); // asks again by itself
  }, pause);
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
