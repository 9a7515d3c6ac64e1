/**
 * A small Hugging Face Hub on loopback: the routes that @huggingface/hub and Python's huggingface_hub use, and a second
 * port that plays the CDN to which large files are redirected. It can misbehave.
 *
 * @source https://huggingface.co/docs/hub/api, and the headers that huggingface_hub/file_download.py reads
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A file's name → its bytes, or what the hub says of it without serving it. */
export type HubFiles = Readonly<Record<string, Uint8Array | string>>;

interface Repository {
  /** Branch, tag or commit → its files. */
  readonly revisions: Map<string, { readonly commit: string; readonly files: Map<string, Uint8Array> }>;
  /** Needs the token. */
  readonly access: "public" | "private" | "gated";
}

/** What goes wrong with a request; `undefined` for nothing. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection breaks after so many bytes of the body. */
  | { readonly cutAfter: number }
  /** Nothing comes after so many bytes. */
  | { readonly silentAfter: number }
  /** The whole file, whatever range was asked for. */
  | { readonly ignoresRange: true }
  /** Other bytes than those promised. */
  | { readonly corrupt: true };

export interface SeenRequest {
  readonly at: "hub" | "cdn";
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Files of so many bytes and more are large: SHA-256, and served by the CDN. */
const largeFrom = 100_000;
/** Entries of a listing that come at once: a listing has pages. */
const pageSize = 3;

export const goodToken = "hf_good";

export class HubServer {
  readonly requests: SeenRequest[] = [];
  /** Sizes that listings give to paths, whatever is true. */
  readonly claims = new Map<string, number>();
  /** Asked for each request. */
  fault: (request: SeenRequest) => Fault | undefined = () => undefined;
  readonly #repositories = new Map<string, Repository>();
  readonly #renamed = new Map<string, string>();
  readonly #blobs = new Map<string, Uint8Array>();
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

  /** What HF_ENDPOINT is to be. */
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

  /** Adds a repository, or a commit to one. Returns the commit. */
  add(
    name: string,
    files: HubFiles,
    { revision = "main", access = "public" }: { revision?: string; access?: Repository["access"] } = {},
  ): string {
    const repository = this.#repositories.get(name) ?? { revisions: new Map(), access };
    const bytes = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]));
    const listing = Array.from(bytes, ([path, content]) => `${path} ${digestOf(content)}`).join("\n");
    const commit = createHash("sha1").update(listing).digest("hex");
    for (const key of [revision, commit]) repository.revisions.set(key, { commit, files: bytes });
    for (const content of bytes.values()) this.#blobs.set(digestOf(content), content);
    this.#repositories.set(name, repository);
    return commit;
  }

  /** From now on the repository has another name, and the old one leads there. */
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
      /^\/(api\/models\/)?((?:[^/]+\/)??[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(path) ?? [];
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
    files: ReadonlyMap<string, Uint8Array>,
    start: number,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const entries = Array.from(files, ([path, bytes]) => {
      const size = this.claims.get(path) ?? bytes.length;
      const entry = { type: "file", path, size, oid: gitBlobName(bytes) };
      const isLarge = bytes.length >= largeFrom;
      return isLarge ? { ...entry, lfs: { oid: digestOf(bytes), size, pointerSize: 134 } } : entry;
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
    { commit, files }: { readonly commit: string; readonly files: ReadonlyMap<string, Uint8Array> },
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): void {
    const bytes = files.get(path);
    response.setHeader("x-repo-commit", commit);
    if (bytes === undefined) {
      refuse(response, 404, "EntryNotFound");
      return;
    }
    const digest = digestOf(bytes);
    if (bytes.length < largeFrom) {
      response.setHeader("etag", `"${digest}"`);
      send(response, request, bytes, fault);
      return;
    }
    response
      .writeHead(302, {
        // Python goes by the host's name, without the port.
        location: `${address(this.#cdn).replace("127.0.0.1", "localhost")}/${digest}?signature=secret`,
        "x-linked-etag": `"${digest}"`,
        "x-linked-size": bytes.length,
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
  whole: Uint8Array,
  fault: Fault | undefined,
): void {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  const start = fault && "ignoresRange" in fault ? 0 : Number(asked ?? 0);
  const bytes = Buffer.from(whole.subarray(start));
  if (fault && "corrupt" in fault) bytes[0]! ^= 1;
  const headers = { "content-length": bytes.length };
  if (start === 0) response.writeHead(200, headers);
  else {
    response.writeHead(206, {
      ...headers,
      "content-range": `bytes ${start}-${whole.length - 1}/${whole.length}`,
    });
  }
  if (request.method === "HEAD") response.end();
  else if (fault && "cutAfter" in fault)
    response.write(bytes.subarray(0, fault.cutAfter), () => response.destroy());
  else if (fault && "silentAfter" in fault) response.write(bytes.subarray(0, fault.silentAfter));
  else response.end(bytes);
}

/** What git calls a file of these bytes. */
export function gitBlobName(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** What the hub calls them: SHA-256 if they are many. */
export function digestOf(bytes: Uint8Array): string {
  return bytes.length >= largeFrom ? createHash("sha256").update(bytes).digest("hex") : gitBlobName(bytes);
}
