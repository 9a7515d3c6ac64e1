/** The studio's server: the files of a manifest and the answers of a network, to this machine's browser only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { loopbackRules, refuse } from "../http/guard.ts";
import { securityHeaders } from "../http/headers.ts";
import { closeServer, listen, portOf } from "../http/listen.ts";
import { sendEntry, type Manifest } from "../http/send-file.ts";
import { isAuthorized, newToken } from "../http/token.ts";
import type { BadRequest, CallServer } from "./call-server.ts";

const headers = securityHeaders([
  // The network is WebAssembly; JavaScript's eval stays forbidden.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
]);

/** In milliseconds; a client that sends its request more slowly is answered with 408. */
const requestTimeout = 10_000;

/** A server that listens. */
export interface StudioServer {
  /** The page's address, with the token if there is a network. */
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** What a server answers with. */
interface Served {
  readonly manifest: Manifest;
  readonly calls: CallServer | null;
  readonly token: string;
}

/**
 * Serves a manifest on 127.0.0.1, and the answers of a network.
 *
 * @param port 0 for any free one
 * @param calls null if the network runs in the page
 * @throws InputError if the port is taken
 */
export async function serveStudio(
  manifest: Manifest,
  port: number,
  calls: CallServer | null = null,
): Promise<StudioServer> {
  const served: Served = { manifest, calls, token: newToken() };
  const server = createServer({ requestTimeout, headersTimeout: requestTimeout }, (request, response) => {
    answer(request, response, served, portOf(server)).catch(() => {
      response.destroy();
    });
  });
  await listen(server, port);
  return {
    server,
    url: `http://127.0.0.1:${portOf(server)}/${calls === null ? "" : `#t=${served.token}`}`,
    close: () => {
      calls?.close();
      return closeServer(server);
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { manifest, calls, token }: Served,
  port: number,
): Promise<void> {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const refusal = refuse(request, loopbackRules(port));
  if (refusal !== null) {
    end(response, refusal.status, refusal.reason);
    return;
  }
  // The path is only a key of the manifest, of the calls or of the passes: nothing is resolved against a folder.
  const path = (request.url ?? "/").split(/[?#]/, 1)[0]!;
  if (calls !== null && path.startsWith("/api/")) {
    if (!isAuthorized(request.headers.authorization, token)) {
      response.setHeader("WWW-Authenticate", "Bearer");
      end(response, 401, "open the address that clipscope studio has printed, or start it again");
      return;
    }
    const bad = await answerApi(request, response, path, calls);
    if (bad !== null) end(response, bad.status, bad.reason);
    return;
  }
  if (!isMethod(request, response, "GET", "HEAD")) return;
  const entry = manifest.get(path);
  if (entry === undefined) end(response, 404, "no such file");
  else await sendEntry(request, response, path, entry);
}

async function answerApi(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  calls: CallServer,
): Promise<BadRequest | null> {
  const [, call] = /^\/api\/calls\/([^/]+)$/.exec(path) ?? [];
  if (call !== undefined) {
    return isMethod(request, response, "POST") ? calls.answer(request, response, call) : null;
  }
  const [, pass] = /^\/api\/passes\/([^/]+)\/trace\.safetensors$/.exec(path) ?? [];
  if (pass === undefined) return { status: 404, reason: "no such path" };
  return isMethod(request, response, "GET", "HEAD") ? calls.sendTrace(request, response, pass) : null;
}

/** Whether a request has one of these methods; else it is answered. */
function isMethod({ method = "" }: IncomingMessage, response: ServerResponse, ...allowed: string[]): boolean {
  if (allowed.includes(method)) return true;
  response.setHeader("Allow", allowed.join(", "));
  end(response, 405, `expected ${allowed.join(" or ")}, found ${method}`);
  return false;
}

/** Answers without reading the rest of the request. */
function end(response: ServerResponse, status: number, text: string): void {
  if (status >= 400) response.setHeader("Connection", "close");
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
