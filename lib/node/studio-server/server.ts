/** The studio's server: the files of a manifest and the answers of a network, to this machine's browser only. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { BadRequest, CallServer } from "./call-server.ts";
import { refuse, securityHeaders } from "./guard.ts";
import type { Entry, Manifest } from "./manifest.ts";
import { sendRange } from "./send-range.ts";
import { isAuthorized, newToken } from "./token.ts";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

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
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "it is in use" : error.message;
      reject(new InputError(`port ${port}: ${reason}; choose another one with --port`, [], { cause: error }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    server,
    url: `http://127.0.0.1:${portOf(server)}/${calls === null ? "" : `#t=${served.token}`}`,
    close: () =>
      new Promise((resolve) => {
        calls?.close();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { manifest, calls, token }: Served,
  port: number,
): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
  const refusal = refuse(request, port);
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
  else await send(request, response, path, entry);
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

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  entry: Entry,
): Promise<void> {
  // Names of built files hold a digest of their content.
  response.setHeader(
    "Cache-Control",
    path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  );
  if ("json" in entry) {
    response.setHeader("Content-Type", types[".json"]!);
    response.end(request.method === "HEAD" ? undefined : JSON.stringify(entry.json));
    return;
  }
  const { size, mtimeMs } = await stat(entry.file);
  const tag = `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
  response.setHeader("ETag", tag);
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  await sendRange(request, response, {
    type: types[extname(entry.file)] ?? "application/octet-stream",
    size,
    bytes: (start, end) => createReadStream(entry.file, { start, end }) as AsyncIterable<Uint8Array>,
  });
}
