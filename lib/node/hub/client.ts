/** Requests to the hub: the token goes to the hub alone, and failures that may pass are told from those that do not. */
import { EnvHttpProxyAgent, fetch, type RequestInit, type Response } from "undici";
import { InputError } from "../../errors/input-error.ts";
import { PassingFailure, persist, type Patience } from "./patience.ts";
import type { HubSettings } from "./settings.ts";

export interface ClientOptions extends HubSettings {
  readonly patience: Patience;
  /** Hears why it waits. */
  readonly onWait: (reason: string) => void;
  readonly signal: AbortSignal;
}

const redirects = [301, 302, 303, 307, 308];
const mostRedirects = 10;

export class HubClient {
  readonly options: ClientOptions;
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which Node's own fetch does not look at. */
  readonly #dispatcher = new EnvHttpProxyAgent();

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /** fetch for @huggingface/hub's questions about a repository; repeated where a failure may pass. */
  questions(repository: string): typeof globalThis.fetch {
    const ask = async (url: unknown, init: unknown): Promise<globalThis.Response> => {
      const signal = AbortSignal.any([
        this.options.signal,
        AbortSignal.timeout(this.options.patience.silence),
      ]);
      const response = await this.get(repository, String(url), { ...(init as RequestInit), signal });
      const { headers } = response;
      const text = await response.text().catch((error: unknown) => {
        throw this.#cut(url, error);
      });
      try {
        JSON.parse(text);
      } catch (error) {
        throw new InputError(
          `${String(url)}: expected the hub's answer, found something else; is HF_ENDPOINT right, or does a login page stand between?`,
          [],
          { cause: error },
        );
      }
      return new globalThis.Response(text, { headers: [...headers] });
    };
    return (url, init) => persist(() => ask(url, init), this.options.patience, this.options);
  }

  /**
   * One attempt. Redirects are followed here, because no other host than the hub may see the token.
   *
   * @throws PassingFailure where it is worth another attempt
   * @throws InputError where it is not: why, and the way out
   */
  async get(repository: string, url: string, init: RequestInit = {}): Promise<Response> {
    const { endpoint, token, signal } = this.options;
    const { origin } = new URL(endpoint);
    let target = new URL(url);
    for (let hops = 0; hops < mostRedirects; hops++) {
      const headers = new Headers(init.headers as HeadersInit);
      if (token !== undefined && target.origin === origin) headers.set("authorization", `Bearer ${token}`);
      const options: RequestInit = { signal, ...init, redirect: "manual", dispatcher: this.#dispatcher };
      const response = await fetch(target, { ...options, headers: [...headers] }).catch((error: unknown) => {
        throw this.#cut(target, error);
      });
      if (response.ok) return response;
      const location = response.headers.get("location");
      if (!redirects.includes(response.status) || location === null) {
        throw await this.#refused(repository, target, response);
      }
      await response.body?.cancel();
      target = new URL(location, target);
    }
    throw new InputError(`${url}: more than ${mostRedirects} redirects; is HF_ENDPOINT right?`);
  }

  /** What a response brings; errors of the connection alone become passing failures. */
  async *body(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* response.body as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw this.#cut(response.url, error);
    }
  }

  /** Ends the connections that are kept open. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  #cut(url: unknown, error: unknown): unknown {
    const { host } = new URL(String(url));
    const { cause, message } = error as Error;
    const reason =
      cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : message;
    return new PassingFailure(`${host}: the connection failed (${reason})`, { cause: error });
  }

  async #refused(repository: string, url: URL, response: Response): Promise<Error> {
    const { endpoint, token } = this.options;
    const { status, headers } = response;
    await response.body?.cancel();
    if (status === 408 || status === 429 || status >= 500) {
      const seconds = Number(headers.get("retry-after") ?? NaN);
      const retryAfter = Number.isFinite(seconds) ? 1000 * seconds : undefined;
      const reason = status === 429 ? "too many requests" : "a passing fault";
      return new PassingFailure(`${url.host}: ${reason} (status ${status})`, { retryAfter });
    }
    const login = token === undefined ? "give a token in HF_TOKEN" : "give another token in HF_TOKEN";
    switch (headers.get("x-error-code")) {
      case "GatedRepo":
        return new InputError(
          `${repository}: its owner asks for conditions to be accepted: do so at ${endpoint}/${repository}, then ${login}`,
        );
      case "RevisionNotFound":
        return new InputError(
          `${repository}: has no such revision; ${endpoint}/${repository} shows its branches`,
        );
    }
    const reasons: Partial<Record<number, string>> = {
      401: `${endpoint} wants to know who asks (status 401): there is no such repository, or it is private; check its name, or ${login}`,
      403: `${endpoint} does not give it to you (status 403); ${login}`,
      404: `not found at ${endpoint} (status 404); check its name`,
    };
    return new InputError(`${repository}: ${reasons[status] ?? `${url.href}: unexpected status ${status}`}`);
  }
}
