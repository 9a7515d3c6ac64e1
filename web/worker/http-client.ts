/** The page's side of the local server: each call is a request whose answer is a stream of lines. */
import { decodeWire, encodeWire } from "../../lib/studio/wire.ts";
import { NoticeError, type CallName, type CallOptions, type Calls, type Client } from "./protocol.ts";

/** A line of an answer. */
export type Line =
  | { readonly queued: number }
  | { readonly progress: readonly [done: number, total: number] }
  | { readonly update: unknown }
  | { readonly result: unknown }
  | { readonly error: { readonly message: string; readonly isInput: boolean } };

export class HttpClient implements Client {
  readonly #token: string;
  readonly #onQueue: (waiting: number) => void;

  /**
   * @param token of the address that the server printed
   * @param onQueue is told how many passes of other tabs come first
   */
  constructor(token: string, onQueue: (waiting: number) => void) {
    this.#token = token;
    this.#onQueue = onQueue;
  }

  async call<N extends CallName>(
    name: N,
    params: Calls[N]["params"],
    { signal, onProgress, onUpdate }: CallOptions<Calls[N]["update"]> = {},
  ): Promise<Calls[N]["result"]> {
    const response = await this.#post(name, params, signal);
    try {
      for await (const line of linesOf(response.body!)) {
        const reply = decodeWire(line) as Line;
        if ("queued" in reply) this.#onQueue(reply.queued);
        else if ("progress" in reply) onProgress?.(...reply.progress);
        else if ("update" in reply) onUpdate?.(reply.update as Calls[N]["update"]);
        else if ("result" in reply) return reply.result as Calls[N]["result"];
        else
          throw reply.error.isInput ? new NoticeError(reply.error.message) : new Error(reply.error.message);
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof TypeError ? gone(error) : error;
    }
    throw gone();
  }

  async #post(name: string, params: unknown, signal: AbortSignal | undefined): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`api/calls/${name}`, {
        method: "POST",
        headers: { Authorization: `Bearer ${this.#token}`, "Content-Type": "application/json" },
        body: encodeWire(params),
        ...(signal && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw gone(error);
    }
    if (response.ok) return response;
    throw new NoticeError((await response.text()).trim());
  }
}

function gone(cause?: unknown): NoticeError {
  return new NoticeError(
    "The server does not answer. Start clipscope studio again, and open the address that it prints.",
    { cause },
  );
}

async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
