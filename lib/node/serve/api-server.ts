/**
 * An HTTP server of routes: checks where requests come from and who sends them, limits how many there are and how large,
 * and stops in order.
 */
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Counter, Gauge, Histogram, type Metric } from "../../serve/metrics.ts";
import { busy, Problem, problemOf } from "../../serve/problem.ts";
import type { Reply, Route } from "../../serve/routes.ts";
import type { GuardRules } from "../http/guard.ts";
import { securityHeaders } from "../http/headers.ts";
import { closeServer, listen, portOf } from "../http/listen.ts";
import { readBody } from "../http/read-body.ts";
import { sendEntry, type Manifest } from "../http/send-file.ts";
import { admit } from "./admit.ts";
import { defaultLimits, type Limits } from "./limits.ts";

export interface ApiServerOptions {
  readonly routes: readonly Route[];
  /** The files of the page. */
  readonly manifest: Manifest;
  /** The secret that clients must send; null to answer all. */
  readonly token: string | null;
  /** Of the header `Host`, and of other origins. @param port the server's */
  readonly rules: (port: number) => GuardRules;
  readonly limits?: Partial<Limits>;
  /** Receives errors that are not the client's. */
  readonly onError: (error: unknown) => void;
}

const headers = securityHeaders([
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
]);

/** Why work is given up whose client has closed the connection. */
const gone = new Error("the client has gone");

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #limits: Limits;
  readonly #server: Server;
  /** Of the requests that are worked on. */
  readonly #running = new Set<AbortController>();
  #isStopping = false;
  #bytes = 0;
  readonly #counts = new Counter("clipscope_http_requests_total", "Requests, by route and status.");
  readonly #times = new Histogram(
    "clipscope_http_request_seconds",
    "Time of requests that a route answered.",
  );
  readonly #open = new Gauge("clipscope_http_requests", "Requests that are worked on.", () => [
    [{}, this.#running.size],
  ]);

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    const { arrival, answer } = this.#limits;
    const timeouts = { requestTimeout: arrival, headersTimeout: arrival, connectionsCheckingInterval: 1000 };
    this.#server = createServer(timeouts, (request, response) => {
      void this.#handle(request, response);
    });
    // A client that reads its answer too slowly; the time to compute an answer has a limit of its own.
    this.#server.setTimeout(answer + arrival);
  }

  /** @throws InputError if it cannot listen there */
  listen(port: number, host: string): Promise<void> {
    return listen(this.#server, port, host);
  }

  get port(): number {
    return portOf(this.#server);
  }

  get metrics(): readonly Metric[] {
    return [this.#counts, this.#times, this.#open];
  }

  /** Stops: new requests are refused, those that are worked on are answered if they end in time. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const request of this.#running) request.abort(busy("the server has stopped"));
      void closeServer(this.#server);
    }, this.#limits.grace);
    await closed;
    clearTimeout(timer);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const { pathname, searchParams } = addressOf(request.url ?? "/");
    const route = this.#options.routes.find(({ path }) =>
      path.endsWith("/") ? pathname.startsWith(path) : pathname === path,
    );
    response.on("close", () => {
      const status = response.headersSent ? String(response.statusCode) : "none";
      this.#counts.add({ route: route?.path ?? "page", status });
    });
    try {
      const { rules, token } = this.#options;
      const needed = route?.isOpen === true ? null : token;
      if (!admit(request, response, rules(this.port), needed)) return;
      if (route === undefined) await this.#sendPage(request, response, pathname);
      else await this.#answer(request, response, route, pathname, searchParams);
    } catch (error) {
      this.#fail(request, response, error, pathname.startsWith("/v1/"));
    }
  }

  async #sendPage(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const entry = this.#options.manifest.get(path);
    if (entry === undefined) throw new Problem(404, "no such path");
    assertMethod(request, "GET");
    await sendEntry(request, response, path, entry);
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    pathname: string,
    query: URLSearchParams,
  ): Promise<void> {
    assertMethod(request, route.method);
    if (this.#isStopping) throw busy("the server is stopping");
    const { mostRequests, largestBodies, answer } = this.#limits;
    const size = route.method === "POST" ? this.#sizeOf(request) : 0;
    const isTooMany = this.#running.size >= mostRequests || this.#bytes + size > largestBodies;
    // Health and metrics are asked for when a server is busy.
    if (isTooMany && route.isQuick !== true) {
      throw busy("too many requests at the same time; try again later");
    }
    const running = new AbortController();
    // Every image of an answer listens: Node would take more than ten for a leak.
    setMaxListeners(0, running.signal);
    this.#running.add(running);
    this.#bytes += size;
    const giveUp = (): void => {
      running.abort(gone);
    };
    response.once("close", giveUp);
    const timer = setTimeout(() => {
      running.abort(busy("no answer in time; try again later"));
    }, answer);
    try {
      const body = route.method === "POST" ? await this.#body(request) : new Uint8Array();
      const call = { rest: pathname.slice(route.path.length), query, body, signal: running.signal };
      const reply = await this.#times.time(() => route.answer(call), { route: route.path });
      this.#send(request, response, reply);
    } catch (error) {
      if (running.signal.reason === gone) return;
      throw running.signal.aborted ? running.signal.reason : error;
    } finally {
      clearTimeout(timer);
      response.off("close", giveUp);
      this.#running.delete(running);
      this.#bytes -= size;
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, { type, body, headers }: Reply): void {
    // Else the connection would stay open for a next request.
    if (this.#isStopping) response.setHeader("Connection", "close");
    response.writeHead(200, {
      "Content-Type": type,
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": "no-store",
      ...headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  /** How much memory a body may take: as much as it says, or as much as is allowed. */
  #sizeOf({ headers: { "content-length": length } }: IncomingMessage): number {
    const { largestBody } = this.#limits;
    const size = length === undefined ? largestBody : Number(length);
    if (size > largestBody) throw new Problem(413, `expected a body of at most ${largestBody} bytes`);
    return size;
  }

  async #body(request: IncomingMessage): Promise<Uint8Array> {
    const { largestBody } = this.#limits;
    const body = await readBody(request, largestBody);
    if (body === null) throw new Problem(413, `expected a body of at most ${largestBody} bytes`);
    return body;
  }

  /** @param isOpenAi whether the client expects errors in the form of OpenAI's API */
  #fail(request: IncomingMessage, response: ServerResponse, error: unknown, isOpenAi: boolean): void {
    let problem: Problem;
    try {
      problem = problemOf(error);
    } catch {
      // The client learns nothing of what is behind it.
      problem = new Problem(500, "internal error");
      if (!request.destroyed || !response.destroyed) this.#options.onError(error);
    }
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    // The rest of the request is not read.
    if (!request.complete || this.#isStopping) response.setHeader("Connection", "close");
    const { status, message } = problem;
    const type = status >= 500 ? "server_error" : "invalid_request_error";
    const document = isOpenAi ? { error: { message, type, param: null, code: null } } : { message };
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : JSON.stringify(document));
  }
}

/** The path and the query, which are only compared with known ones. */
function addressOf(url: string): { readonly pathname: string; readonly searchParams: URLSearchParams } {
  const [pathname = "/", query = ""] = url.split("#", 1)[0]!.split("?", 2);
  return { pathname, searchParams: new URLSearchParams(query) };
}

function assertMethod({ method = "" }: IncomingMessage, expected: Route["method"]): void {
  const allowed = expected === "GET" ? ["GET", "HEAD"] : [expected];
  if (allowed.includes(method)) return;
  throw new Problem(405, `expected ${allowed.join(" or ")}, found ${method}`, { Allow: allowed.join(", ") });
}
