/** The page's side of the worker: each call is a promise that an AbortSignal can end. */
import {
  DeviceLostError,
  NoticeError,
  type CallOptions,
  type Calls,
  type Reply,
  type Request,
} from "./protocol.ts";

/** The parts of `Worker` that are used; specs pass a port of a channel. */
export interface Port {
  postMessage(message: Request, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Reply>) => void): void;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: CallOptions["onProgress"];
  readonly onUpdate: ((part: never) => void) | undefined;
}

/** The kinds of calls that a worker answers. */
export type CallTable<T> = {
  readonly [N in keyof T]: { readonly params: unknown; readonly result: unknown; readonly update: unknown };
};

/** @typeParam Table the calls by name. Default: those of the network */
export class WorkerClient<Table extends CallTable<Table> = Calls> {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #next = 0;

  constructor(port: Port) {
    this.#port = port;
    port.addEventListener("message", ({ data }) => {
      this.#receive(data);
    });
  }

  call<N extends keyof Table & string>(
    name: N,
    params: Table[N]["params"],
    { signal, onProgress, onUpdate }: CallOptions<Table[N]["update"]> = {},
  ): Promise<Table[N]["result"]> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onProgress, onUpdate });
      signal?.addEventListener("abort", () => {
        if (!this.#pending.delete(id)) return;
        this.#port.postMessage({ id, call: "abort" }, []);
        reject(signal.reason as Error);
      });
      this.#port.postMessage({ id, call: name, params } as Request, []);
    });
  }

  /** Fails everything that waits, when the worker has died. */
  fail(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return; // aborted
    if ("progress" in reply) {
      pending.onProgress?.(...reply.progress);
      return;
    }
    if ("update" in reply) {
      pending.onUpdate?.(reply.update as never);
      return;
    }
    this.#pending.delete(reply.id);
    if ("result" in reply) pending.resolve(reply.result as never);
    else {
      const { message, isInput, isDevice = false } = reply.error;
      const Kind = isDevice ? DeviceLostError : isInput ? NoticeError : Error;
      pending.reject(new Kind(message));
    }
  }
}
