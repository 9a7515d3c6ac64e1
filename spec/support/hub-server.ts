/**
 * A small Hugging Face Hub on loopback: the routes that @huggingface/hub and Python's huggingface_hub use, and a second
 * port for the CDN, to which requests for large files are redirected. It can simulate faults.
 *
 * Source: https://huggingface.co/docs/hub/api, and the headers that huggingface_hub/file_download.py reads
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** The contents of files by name. */
export type HubFiles = Readonly<Record<string, Uint8Array | string | HubBlob>>;

/** A file's content. */
export interface HubBlob {
  readonly size: number;
  /** The digest that the hub states. */
  readonly digest: string;
  /** Reads its bytes in `[start, end)`. */
  readonly read: (start: number, end: number) => Readable;
}

interface Repository {
  /** Branch, tag or commit → its files. */
  readonly revisions: Map<string, { readonly commit: string; readonly files: ReadonlyMap<string, HubBlob> }>;
  /** Needs the token. */
  readonly access: "public" | "private" | "gated";
}

/** A fault of one request. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection is dropped after this many bytes of the body. */
  | { readonly cutAfter: number }
  /** The server sends nothing after this many bytes of the body. */
  | { readonly silentAfter: number }
  /** The server sends the whole file instead of the requested range. */
  | { readonly ignoresRange: true }
  /** The server sends other bytes. */
  | { readonly corrupt: true };

export interface SeenRequest {
  readonly at: "hub" | "cdn";
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Files of at least this many bytes have a SHA-256 digest and are served by the CDN. */
const largeFrom = 100_000;
/** Entries per page of a listing. */
const pageSize = 3;

export const goodToken = "hf_good";

export class HubServer {
  readonly requests: SeenRequest[] = [];
  /** Sizes that listings state instead of the real ones, by path. */
  readonly claims = new Map<string, number>();
  /** Called for each request. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  readonly #repositories = new Map<string, Repository>();
  readonly #renamed = new Map<string, string>();
  readonly #blobs = new Map<string, HubBlob>();
  readonly #hub: Server;
  readonly #cdn: Server;

  private constructor() {
    this.#hub = createServer((request, response) => {
      this.#answer("hub", request, response);
    });
    this.#cdn = createServer((request, response) => {
      this.#answer("cdn", request, response);
    });
  }

  static async start(): Promise<HubServer> {
    const server = new HubServer();
    for (const one of [server.#hub, server.#cdn]) await once(one.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  /** The value for HF_ENDPOINT. */
  get endpoint(): string {
    return address(this.#hub);
  }

  async stop(): Promise<void> {
    for (const one of [this.#hub, this.#cdn]) {
      if (!one.listening) continue;
      one.close();
      one.closeAllConnections();
      await once(one, "close");
    }
  }

  /** Adds a repository, or a commit to one. A dataset's name starts with `datasets/`. Returns the commit. */
  add(
    name: string,
    files: HubFiles,
    { revision = "main", access = "public" }: { revision?: string; access?: Repository["access"] } = {},
  ): string {
    const repository = this.#repositories.get(name) ?? { revisions: new Map(), access };
    const blobs = new Map(Object.entries(files).map(([path, content]) => [path, blobOf(content)]));
    const listing = Array.from(blobs, ([path, { digest }]) => `${path} ${digest}`).join("\n");
    const commit = createHash("sha1").update(listing).digest("hex");
    for (const key of [revision, commit]) repository.revisions.set(key, { commit, files: blobs });
    for (const blob of blobs.values()) this.#blobs.set(blob.digest, blob);
    this.#repositories.set(name, repository);
    return commit;
  }

  /** Renames a repository. The old name redirects to the new one. */
  rename(from: string, to: string): void {
    this.#repositories.set(to, this.#repositories.get(from)!);
    this.#repositories.delete(from);
    this.#renamed.set(from, to);
  }

  /** The requests for large files' bytes. */
  get downloads(): readonly SeenRequest[] {
    return this.requests.filter(({ at, method }) => at === "cdn" && method === "GET");
  }

  #answer(at: "hub" | "cdn", request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, "http://hub");
    const { authorization, range } = request.headers;
    const path = decodeURIComponent(pathname);
    const seen: SeenRequest = { at, method: request.method!, path, authorization, range };
    this.requests.push(seen);
    const fault = this.fault(seen);
    if (fault !== undefined && "status" in fault) {
      response.writeHead(fault.status, { ...fault.headers }).end(fault.body);
    } else if (at === "cdn") send(response, request, this.#blobs.get(path.slice(1))!, fault);
    else this.#hubAnswer(path, searchParams, request, response, fault);
  }

  #hubAnswer(
    path: string,
    search: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    const [, api, name, kind, rest] =
      /^\/(api\/models\/)?((?:datasets\/)?(?:[^/]+\/)??[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(
        path.replace(/^\/api\/datasets\//, "/api/models/datasets/"),
      ) ?? [];
    const newName = this.#renamed.get(name ?? "");
    if (newName !== undefined) {
      response.writeHead(307, { location: request.url!.replace(name!, newName) }).end();
      return;
    }
    const repository = this.#repositories.get(name ?? "");
    const isTrusted = request.headers.authorization === `Bearer ${goodToken}`;
    if (repository === undefined || (repository.access === "private" && !isTrusted)) {
      refuse(response, isTrusted ? 404 : 401, "RepoNotFound");
      return;
    }
    if (repository.access === "gated" && !isTrusted && kind === "resolve") {
      refuse(response, 403, "GatedRepo");
      return;
    }
    const revision = kind === "resolve" ? rest!.split("/")[0]! : rest!;
    const found = repository.revisions.get(revision);
    if (found === undefined) refuse(response, 404, "RevisionNotFound");
    else if (api === undefined)
      this.#resolve(rest!.slice(revision.length + 1), found, request, response, fault);
    else if (kind === "revision")
      sendJson(response, { _id: "1", id: name, sha: found.commit, private: false });
    else this.#tree(found.files, Number(search.get("cursor") ?? 0), request, response);
  }

  #tree(
    files: ReadonlyMap<string, HubBlob>,
    start: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const entries = Array.from(files, ([path, { size: trueSize, digest }]) => {
      const size = this.claims.get(path) ?? trueSize;
      const entry = { type: "file", path, size, oid: digest };
      if (trueSize < largeFrom) return entry;
      // git stores a pointer instead of the large file.
      return {
        ...entry,
        oid: gitBlobName(Buffer.from(digest)),
        lfs: { oid: digest, size, pointerSize: 134 },
      };
    });
    if (start + pageSize < entries.length) {
      const next = new URL(request.url!, this.endpoint);
      next.searchParams.set("cursor", `${start + pageSize}`);
      response.setHeader("link", `<${next.href}>; rel="next"`);
    }
    sendJson(response, entries.slice(start, start + pageSize));
  }

  #resolve(
    path: string,
    { commit, files }: { readonly commit: string; readonly files: ReadonlyMap<string, HubBlob> },
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    const blob = files.get(path);
    response.setHeader("x-repo-commit", commit);
    if (blob === undefined) {
      refuse(response, 404, "EntryNotFound");
      return;
    }
    const { digest, size } = blob;
    if (size < largeFrom) {
      response.setHeader("etag", `"${digest}"`);
      send(response, request, blob, fault);
      return;
    }
    response
      .writeHead(302, {
        // Python compares host names without the port.
        location: `${address(this.#cdn).replace("127.0.0.1", "localhost")}/${digest}?signature=secret`,
        "x-linked-etag": `"${digest}"`,
        "x-linked-size": size,
      })
      .end();
  }
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "x-error-code": code, "content-type": "application/json" });
  response.end(JSON.stringify({ error: code }));
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json").end(JSON.stringify(value));
}

function send(
  response: ServerResponse,
  request: IncomingMessage,
  { size, read }: HubBlob,
  fault: Fault = { cutAfter: Infinity },
): void {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  const start = "ignoresRange" in fault ? 0 : Number(asked ?? 0);
  const headers = { "content-length": size - start };
  if (start === 0) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${size - 1}/${size}` });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  let left = "cutAfter" in fault ? fault.cutAfter : "silentAfter" in fault ? fault.silentAfter : Infinity;
  left = Math.min(left, size - start);
  const body = read(start, start + left);
  if ("corrupt" in fault) body.once("data", (chunk: Buffer) => (chunk[0]! ^= 1));
  body.pipe(response, { end: false });
  body.on("end", () => {
    if ("silentAfter" in fault) return;
    if (start + left === size) response.end();
    // Wait until the written bytes have arrived. Dropping the connection discards buffers.
    else setTimeout(() => response.destroy(), 100);
  });
}

/** git's name for a blob of these bytes. */
export function gitBlobName(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function blobOf(content: Uint8Array | string | HubBlob): HubBlob {
  if (typeof content === "object" && "digest" in content) return content;
  const bytes = Buffer.from(content);
  const sha256 = (): string => createHash("sha256").update(bytes).digest("hex");
  return {
    size: bytes.length,
    digest: bytes.length < largeFrom ? gitBlobName(bytes) : sha256(),
    read: (start, end) => Readable.from([Buffer.from(bytes.subarray(start, end))], { objectMode: false }),
  };
}
