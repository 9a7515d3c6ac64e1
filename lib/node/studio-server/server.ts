/** The studio's server: the files of a manifest, to this machine's browser only. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { refuse, securityHeaders } from "./guard.ts";
import type { Entry, Manifest } from "./manifest.ts";

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
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/**
 * Serves a manifest on 127.0.0.1.
 *
 * @param port 0 for any free one
 * @throws InputError if the port is taken
 */
export async function serveStudio(manifest: Manifest, port: number): Promise<StudioServer> {
  const server = createServer({ requestTimeout, headersTimeout: requestTimeout }, (request, response) => {
    answer(request, response, manifest, portOf(server)).catch(() => {
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
    url: `http://127.0.0.1:${portOf(server)}/`,
    close: () =>
      new Promise((resolve) => {
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
  manifest: Manifest,
  port: number,
): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
  const refusal = refuse(request, port);
  if (refusal !== null) {
    if (refusal.status === 405) response.setHeader("Allow", "GET, HEAD");
    end(response, refusal.status, refusal.reason);
    return;
  }
  // The path is only a key of the manifest: nothing is resolved against a folder.
  const path = (request.url ?? "/").split(/[?#]/, 1)[0]!;
  const entry = manifest.get(path);
  if (entry === undefined) end(response, 404, "no such file");
  else await send(request, response, path, entry);
}

function end(response: ServerResponse, status: number, text: string): void {
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
  response.setHeader("Content-Type", types[extname(entry.file)] ?? "application/octet-stream");
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("ETag", tag);
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  const range = parseRange(request.headers.range, size);
  if (range === null) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  const [first, last] = range ?? [0, size - 1];
  response.writeHead(range === undefined ? 200 : 206, {
    "Content-Length": last - first + 1,
    ...(range !== undefined && { "Content-Range": `bytes ${first}-${last}/${size}` }),
  });
  if (request.method === "HEAD" || size === 0) {
    response.end();
    return;
  }
  const file = createReadStream(entry.file, { start: first, end: last });
  file.on("error", () => response.destroy());
  response.on("close", () => file.destroy());
  file.pipe(response);
}

/** One range of bytes; undefined for the whole file, null for a range outside it. Several ranges are not supported. */
function parseRange(header: string | undefined, size: number): readonly [number, number] | null | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const range =
    first === ""
      ? ([Math.max(size - Number(last), 0), size - 1] as const)
      : ([Number(first), last === "" ? size - 1 : Math.min(Number(last), size - 1)] as const);
  return range[0] < size && range[0] <= range[1] ? range : null;
}
