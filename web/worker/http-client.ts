/** The page's side of the local server: each call is a request whose answer is a stream of lines. */
import { decodeWire, encodeWire, largestQuestion } from "../../lib/studio/wire.ts";
import {
  NoticeError,
  type CallName,
  type CallOptions,
  type Calls,
  type Client,
  type RemoteError,
} from "./protocol.ts";

/** A line of an answer. */
type Line =
  /** How many questions are answered before. */
  | { readonly queued: number }
  | { readonly progress: readonly [done: number, total: number] }
  | { readonly update: unknown }
  | { readonly result: unknown }
  | { readonly error: RemoteError };

/** The server has gone, or it is another one than the page's. */
export class DisconnectedError extends Error {
  /** Whether a server answers, and refuses the page's token. */
  readonly isRefused: boolean;

  constructor(message: string, isRefused: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isRefused = isRefused;
  }
}

export interface HttpClientOptions {
  /** Of the address that the server printed. */
  readonly token: () => string;
  /** Is told how many questions come before the first one that waits; 0 if none waits. */
  readonly onQueue: (place: number) => void;
  readonly onLost: (error: DisconnectedError) => void;
}

export class HttpClient implements Client {
  readonly #options: HttpClientOptions;
  /** The places of the calls that wait. */
  readonly #places = new Map<symbol, number>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** @throws DisconnectedError; else as `Client` */
  async call<N extends CallName>(
    name: N,
    params: Calls[N]["params"],
    options: CallOptions<Calls[N]["update"]> = {},
  ): Promise<Calls[N]["result"]> {
    const id = Symbol(name);
    try {
      return await this.#call(id, name, params, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof DisconnectedError) this.#options.onLost(error);
      throw error;
    } finally {
      this.#place(id, 0);
    }
  }

  async #call<N extends CallName>(
    id: symbol,
    name: N,
    params: Calls[N]["params"],
    { signal, onProgress, onUpdate }: CallOptions<Calls[N]["update"]>,
  ): Promise<Calls[N]["result"]> {
    const response = await this.#post(name, params, signal);
    for await (const line of linesOf(response.body!)) {
      const reply = decodeWire(line) as Line;
      if ("queued" in reply) this.#place(id, reply.queued);
      else if ("progress" in reply) onProgress?.(...reply.progress);
      else if ("update" in reply) onUpdate?.(reply.update as Calls[N]["update"]);
      else if ("result" in reply) return reply.result as Calls[N]["result"];
      else throw reply.error.isInput ? new NoticeError(reply.error.message) : new Error(reply.error.message);
    }
    throw gone();
  }

  async #post(name: string, params: unknown, signal: AbortSignal | undefined): Promise<Response> {
    const body = new TextEncoder().encode(encodeWire(params));
    // The server would close the connection while the page still sends, which looks as if it had gone.
    if (body.length > largestQuestion) {
      const [found, most] = [body.length, largestQuestion].map((bytes) => (bytes / 2 ** 20).toFixed(0));
      throw new NoticeError(
        `${found} MB are too much to send to the server at once, which accepts ${most} MB`,
      );
    }
    const token = this.#options.token();
    const response = await fetch(`api/calls/${name}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body,
      ...(signal && { signal }),
    }).catch((error: unknown) => {
      throw gone(error);
    });
    if (response.ok) return response;
    const reason = (await response.text()).trim();
    // The user opened the server's address meanwhile: the answer is about the token before.
    if (response.status === 401 && token !== this.#options.token()) return this.#post(name, params, signal);
    throw response.status === 401 ? new DisconnectedError(refused, true) : new Error(reason);
  }

  #place(id: symbol, place: number): void {
    if (place > 0) this.#places.set(id, place);
    else if (!this.#places.delete(id)) return;
    this.#options.onQueue(this.#places.size === 0 ? 0 : Math.min(...this.#places.values()));
  }
}

const refused = "The server does not know this page: open the address that clipscope studio has printed.";

function gone(cause?: unknown): DisconnectedError {
  return new DisconnectedError(
    "The server does not answer. What it has computed stays here; start clipscope studio again, and open the address " +
      "that it prints in this tab.",
    false,
    { cause },
  );
}

async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw gone(error);
    });
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
