/**
 * Requests to the hub. Only the hub receives the token, and errors are divided into transient and final ones.
 *
 * undici's retry interceptor is not used. It counts all retries of a request instead of failures in a row, so a long
 * download fails after a few dropped connections, and it gives up if a server ignores the range of a resumed request.
 */
import { EnvHttpProxyAgent, fetch, type RequestInit, type Response } from "undici";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { retry, TransientError, type RetryPolicy } from "./retry.ts";
import type { HubSettings } from "./settings.ts";

export interface ClientOptions extends HubSettings {
  readonly retryPolicy: RetryPolicy;
  /** Called with the reason before each delay. */
  readonly onWait: (reason: string) => void;
  readonly signal: AbortSignal;
}

const redirects = [301, 302, 303, 307, 308];
const maxRedirects = 10;
/** undici's codes for a server that does not answer in time. */
const timeoutCodes = ["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"];

/** A client of one hub, with the proxy and the token of the settings. */
export class HubClient {
  readonly options: ClientOptions;
  /** Follows HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which Node's own fetch ignores. */
  readonly #dispatcher: EnvHttpProxyAgent;

  constructor(options: ClientOptions) {
    this.options = options;
    const { idleTimeout } = options.retryPolicy;
    this.#dispatcher = new EnvHttpProxyAgent({
      connectTimeout: idleTimeout,
      headersTimeout: idleTimeout,
      bodyTimeout: idleTimeout,
    });
  }

  /**
   * A `fetch` for @huggingface/hub's API requests about a repository, which retries after transient errors.
   *
   * @param check throws InputError for an answer of another shape, which @huggingface/hub would not notice
   */
  apiFetch(repository: string, check: (answer: JsonValue) => void): typeof globalThis.fetch {
    const ask = async (url: unknown, init: unknown): Promise<globalThis.Response> => {
      const response = await this.get(repository, String(url), init as RequestInit);
      const { headers } = response;
      const text = await response.text().catch((error: unknown) => {
        throw this.#connectionError(url, error);
      });
      // Without these checks @huggingface/hub would throw a SyntaxError or a TypeError.
      const fix = "check HF_ENDPOINT, and whether the network requires a login";
      check(JsonValue.parse(text, String(url), { fix }));
      return new globalThis.Response(text, { headers: [...headers] });
    };
    return (url, init) => retry(() => ask(url, init), this.options.retryPolicy, this.options);
  }

  /**
   * One attempt. Redirects are followed here instead of by undici, so that the token goes to every URL of the hub and to
   * no other host, and so that errors name the host that failed.
   *
   * @throws TransientError if another attempt may succeed
   * @throws InputError if not
   */
  async get(repository: string, url: string, init: RequestInit = {}): Promise<Response> {
    const { endpoint, token, signal } = this.options;
    const { origin } = new URL(endpoint);
    let target = webAddress(url);
    for (let hops = 0; hops < maxRedirects; hops++) {
      const headers = new Headers(init.headers as HeadersInit);
      if (token !== undefined && target.origin === origin) headers.set("authorization", `Bearer ${token}`);
      const options: RequestInit = { signal, ...init, redirect: "manual", dispatcher: this.#dispatcher };
      const response = await fetch(target, { ...options, headers: [...headers] }).catch((error: unknown) => {
        throw this.#connectionError(target, error);
      });
      if (response.ok) return response;
      const location = response.headers.get("location");
      if (!redirects.includes(response.status) || location === null) {
        throw await this.#statusError(repository, target, response);
      }
      await response.body?.cancel();
      target = webAddress(location, target);
    }
    throw new InputError(`${url}: more than ${maxRedirects} redirects; check HF_ENDPOINT`);
  }

  /** The bytes of a response. Connection errors become transient errors. */
  async *body(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* response.body as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw this.#connectionError(response.url, error);
    }
  }

  /** Closes the connections. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  #connectionError(url: unknown, error: unknown): unknown {
    const { host } = new URL(String(url));
    const { cause, message } = error as Error;
    const code = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
    const reason = timeoutCodes.includes(code)
      ? `no byte for ${this.options.retryPolicy.idleTimeout / 1000} s`
      : code;
    return new TransientError(`${host}: the connection failed (${reason})`, { cause: error });
  }

  async #statusError(repository: string, url: URL, response: Response): Promise<Error> {
    const { endpoint, token } = this.options;
    const { status, headers } = response;
    await response.body?.cancel();
    if (status === 408 || status === 429 || status >= 500) {
      const seconds = Number(headers.get("retry-after") ?? NaN);
      const retryAfter = Number.isFinite(seconds) ? 1000 * seconds : undefined;
      const reason = status === 429 ? "too many requests" : "a temporary error";
      return new TransientError(`${url.host}: ${reason} (status ${status})`, { retryAfter });
    }
    const login = token === undefined ? "set a token in HF_TOKEN" : "set another token in HF_TOKEN";
    switch (headers.get("x-error-code")) {
      case "GatedRepo":
        return new InputError(
          `${repository}: the owner requires users to accept conditions; accept them at ${endpoint}/${repository}, then ${login}`,
        );
      case "RevisionNotFound":
        return new InputError(
          `${repository}: the revision does not exist; see the branches at ${endpoint}/${repository}`,
        );
    }
    const reasons: Partial<Record<number, string>> = {
      401: `${endpoint} requires authentication (status 401): the repository does not exist or is private; check its name, or ${login}`,
      403: `${endpoint} denies access (status 403); ${login}`,
      404: `not found at ${endpoint} (status 404); check its name`,
    };
    return new InputError(`${repository}: ${reasons[status] ?? `${url.href}: unexpected status ${status}`}`);
  }
}

/** The address in a link or a redirect. @throws InputError if it is not one of the web */
function webAddress(text: string, base?: URL): URL {
  const url = URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  const origin = base === undefined ? "the hub" : base.host;
  throw new InputError(
    `${origin}: expected a link to a web address, found ${JSON.stringify(text.slice(0, 200))}; check HF_ENDPOINT`,
  );
}
