/** Sends the files of a page: what a manifest names, by the path in the address. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { sendRange } from "./send-range.ts";

/** A file, or a document that is made for this run. */
export type Entry = { readonly file: string } | { readonly json: unknown };

/** What a server sends, by the path in the address. Other files cannot be asked for. */
export type Manifest = ReadonlyMap<string, Entry>;

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

/** Adds the files of a folder. @param prefix of their paths in the address */
export async function addFolder(manifest: Map<string, Entry>, folder: string, prefix: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    manifest.set(prefix + relative(folder, file).split(sep).join("/"), { file });
  }
}

/** Sends an entry, or that it has not changed. @param path in the address */
export async function sendEntry(
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
