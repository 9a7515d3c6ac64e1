/** The worker's side of calls: answers them one after another, and ends those that are given up. */
import { DeviceError } from "../../lib/errors/device-error.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Context } from "../../lib/studio/answer.ts";
import type { Reply, Request } from "./protocol.ts";

/** The global object of a worker; TypeScript's DOM library describes a window's. */
interface WorkerScope {
  postMessage(message: Reply, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}

/** Answers the call `name`. */
export type AnswerCall = (name: string, params: unknown, context: Context<unknown>) => Promise<unknown>;

export function serveCalls(answerCall: AnswerCall): void {
  const scope = globalThis as unknown as WorkerScope;
  const running = new Map<number, AbortController>();
  let queue: Promise<unknown> = Promise.resolve();

  scope.addEventListener("message", ({ data }) => {
    if (data.call === "abort") {
      running.get(data.id)?.abort();
      return;
    }
    const { id, call, params } = data;
    const controller = new AbortController();
    running.set(id, controller);
    queue = queue
      .then(() => (controller.signal.aborted ? undefined : reply(id, call, params, controller.signal)))
      .finally(() => running.delete(id));
  });

  async function reply(id: number, call: string, params: unknown, signal: AbortSignal): Promise<void> {
    const send = (message: object, transfer: Transferable[] = []): void => {
      scope.postMessage({ id, ...message } as Reply, transfer);
    };
    try {
      const result = await answerCall(call, params, {
        signal,
        progress: (...progress) => {
          send({ progress });
        },
        update: (update) => {
          send({ update });
        },
      });
      send({ result }, result instanceof Float32Array ? [result.buffer as ArrayBuffer] : []);
    } catch (error) {
      if (signal.aborted) return;
      const isDevice = error instanceof DeviceError;
      const message = isDevice ? error.reason : error instanceof Error ? error.message : String(error);
      send({ error: { message, isInput: error instanceof InputError, isDevice } });
    }
  }
}
