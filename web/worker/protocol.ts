/** What the page asks its worker, and what the worker answers. All of it can be cloned between threads. */
import type { ModelFiles } from "../../lib/browser/model-files.ts";
import type { Calls as Questions } from "../../lib/studio/answers.ts";
import type { ModelInfo } from "../../lib/studio/results.ts";

/** Where a worker finds its model. */
export interface ModelPlace {
  readonly name: string;
  /** The address of a directory, or files that the user dropped, by path. */
  readonly folder: string | ReadonlyMap<string, Blob>;
  readonly files: ModelFiles;
  /** Default: wasm. */
  readonly backend?: PageBackend;
}

/** The backends of a page. */
export const pageBackends = ["wasm", "webgpu"] as const;
export type PageBackend = (typeof pageBackends)[number];

/** A model that is open. `fallback`: why it is on wasm, although webgpu was asked for. */
export type OpenedModel = ModelInfo & { readonly fallback?: string };

/** The calls by name: the questions about the network, and the loading of it. */
export interface Calls extends Questions {
  readonly open: {
    /** Null for the server, which has its model. */
    readonly params: ModelPlace | null;
    readonly result: OpenedModel;
    readonly update: never;
  };
}

export type CallName = keyof Calls;

/** One call. */
export type Question = {
  readonly [N in CallName]: {
    readonly id: number;
    readonly call: N;
    readonly params: Calls[N]["params"];
  };
}[CallName];

export type Request = Question | { readonly id: number; readonly call: "abort" };

/** What a call can do besides returning its result. */
export interface CallOptions<Update = never> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** Receives parts of the result before the rest is there. */
  readonly onUpdate?: (part: Update) => void;
}

/** Where the network runs: a worker of the page, or the local server. */
export interface Client {
  /** @throws NoticeError for wrong input; the signal's reason if it is aborted */
  call<N extends CallName>(
    name: N,
    params: Calls[N]["params"],
    options?: CallOptions<Calls[N]["update"]>,
  ): Promise<Calls[N]["result"]>;
}

/** An error that the user can fix, as `InputError` where the network runs. */
export class NoticeError extends Error {}

/** The device that the network runs on has failed. The model has to be opened again. */
export class DeviceLostError extends NoticeError {}

/** An error as it crosses threads. `isInput`: the user can fix it. `isDevice`: a GPU has failed, for this reason. */
export interface RemoteError {
  readonly message: string;
  readonly isInput: boolean;
  readonly isDevice?: boolean;
}

export type Reply =
  | { readonly id: number; readonly result: Calls[CallName]["result"] }
  | { readonly id: number; readonly error: RemoteError }
  | { readonly id: number; readonly progress: readonly [done: number, total: number] }
  /** A part of the result. */
  | { readonly id: number; readonly update: Calls[CallName]["update"] };
