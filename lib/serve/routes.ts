/** The addresses of a server, from the content of a request to that of its answer. Knows neither sockets nor Node. */
import { JsonValue } from "../json/json-value.ts";
import type { EmbeddingsService } from "./embeddings-service.ts";
import type { IndexService } from "./index-service.ts";
import { mostResults, mostTerms } from "./knn-request.ts";
import type { KnnService } from "./knn-service.ts";
import { exposition, metricsType, type Metric } from "./metrics.ts";
import { Problem } from "./problem.ts";

/** What a route reads of a request. */
export interface Call {
  /** What follows the route's path in the address. */
  readonly rest: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  /** Aborted when nobody waits for the answer. */
  readonly signal: AbortSignal;
}

/** The content of an answer with status 200. */
export interface Reply {
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An address, and what answers it. */
export interface Route {
  /** A path in the address; one that ends with "/" is that of everything below it. */
  readonly path: string;
  readonly method: "GET" | "POST";
  /** Whether it is answered without a token. */
  readonly isOpen?: boolean;
  /** Whether it is answered at once, however many requests there are. */
  readonly isQuick?: boolean;
  /** @throws Problem, InputError, QueueFullError; the signal's reason */
  readonly answer: (call: Call) => Promise<Reply>;
}

/** What the routes answer with. */
export interface Services {
  readonly indices: readonly IndexService[];
  readonly knn: KnnService;
  readonly embeddings: EmbeddingsService;
  readonly model: string;
  readonly metrics: () => readonly Metric[];
}

/** Names the fields of a request that had no effect. */
export const ignoredHeader = "X-Clipscope-Ignored";

/** The routes of a server. */
export function routesOf({ indices, knn, embeddings, model, metrics }: Services): Route[] {
  return [
    { path: "/health", method: "GET", isOpen: true, isQuick: true, answer: () => json({ status: "ok" }) },
    {
      path: "/metrics",
      method: "GET",
      isQuick: true,
      answer: () => Promise.resolve({ type: metricsType, body: exposition(metrics()) }),
    },
    { path: "/indices-list", method: "GET", answer: () => json(indices.map(({ name }) => name)) },
    {
      path: "/serve.json",
      method: "GET",
      answer: () => json({ model, limits: { mostResults, mostTerms }, indices: indices.map(describe) }),
    },
    {
      path: "/knn-service",
      method: "POST",
      answer: async ({ body, signal }) => {
        const { results, ignored } = await knn.query(parse(body), signal);
        return json(results, ignored.length === 0 ? {} : { [ignoredHeader]: ignored.join(", ") });
      },
    },
    {
      path: "/metadata",
      method: "POST",
      answer: async ({ body, signal }) => json(await knn.metadata(parse(body), signal)),
    },
    {
      path: "/v1/embeddings",
      method: "POST",
      answer: async ({ body, signal }) => json(await embeddings.embed(parse(body), signal)),
    },
    {
      path: "/thumb/",
      method: "GET",
      answer: async ({ rest, query, signal }) => {
        const name = query.get("index") ?? indices[0]!.name;
        const index = indices.find((one) => one.name === name);
        const id = /^\d{1,15}$/.test(rest) ? Number(rest) : null;
        const body = index === undefined || id === null ? null : await index.thumbnail(id, signal);
        if (body === null) throw new Problem(404, "no such image");
        return { type: "image/jpeg", body, headers: { "Cache-Control": "private, max-age=3600" } };
      },
    },
  ];
}

/** What the search page shows of an index. */
function describe(index: IndexService): object {
  const { name, rows, width, columns } = index;
  return {
    name,
    rows,
    width,
    columns,
    sides: (["image", "text"] as const).filter((side) => index.has(side)),
  };
}

/** The document in a request's body, whatever its content type says: ClipClient sends none. */
function parse(body: Uint8Array): JsonValue {
  return JsonValue.parse(body, "request");
}

function json(document: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return Promise.resolve({ type: "application/json", body: JSON.stringify(document), headers });
}
