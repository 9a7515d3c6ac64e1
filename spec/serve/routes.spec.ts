import assert from "node:assert/strict";
import { EmbeddingsService } from "../../lib/serve/embeddings-service.ts";
import { KnnService } from "../../lib/serve/knn-service.ts";
import { QueryEmbeddings } from "../../lib/serve/query-embeddings.ts";
import { routesOf, type Reply } from "../../lib/serve/routes.ts";
import { FakeEncoder } from "../support/fake-encoder.ts";
import { FakeIndex } from "../support/fake-index.ts";
import { parseExposition } from "../support/prometheus.ts";

describe("routesOf", () => {
  const index = new FakeIndex();
  const embeddings = new QueryEmbeddings(new FakeEncoder(() => [1, 0]), {
    cached: 10,
    readPixels: (content) => Promise.resolve(Float32Array.from(content)),
  });
  const filters = { ignored: new Set(["safety"] as const) };
  const knn = new KnnService({ indices: [index], embeddings, filters, fetchImage: null });
  const countTokens = () => Promise.resolve(1);
  const routes = routesOf({
    indices: [index],
    knn,
    embeddings: new EmbeddingsService({ embeddings, model: "demo", width: 2, countTokens }),
    model: "demo",
    metrics: () => [...embeddings.metrics, ...knn.metrics],
  });

  function call(path: string, body: object | string = "", rest = "", query = ""): Promise<Reply> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return routes
      .find((route) => route.path === path)!
      .answer({
        rest,
        query: new URLSearchParams(query),
        body: new TextEncoder().encode(text),
        signal: new AbortController().signal,
      });
  }

  const json = async (reply: Promise<Reply>): Promise<unknown> => JSON.parse((await reply).body as string);

  it("needs a token for everything but /health", () => {
    assert.deepEqual(
      routes.filter(({ isOpen }) => isOpen === true).map(({ path }) => path),
      ["/health"],
    );
  });

  it("names the indices, and what a page must know of them", async () => {
    assert.deepEqual(await json(call("/indices-list")), ["photos"]);
    assert.deepEqual(await json(call("/serve.json")), {
      model: "demo",
      limits: { mostResults: 10_000, mostTerms: 64 },
      indices: [
        {
          name: "photos",
          rows: 3,
          width: 2,
          columns: [{ name: "caption", type: "string" }],
          sides: ["image"],
        },
      ],
    });
  });

  it("a filter that is ignored is named in a header", async () => {
    const body = { text: "a", modality: "image", num_images: 1, indice_name: "photos" };
    const plain = await call("/knn-service", body);
    assert.deepEqual(plain.headers, {});
    const ignored = await call("/knn-service", { ...body, use_safety_model: true });
    assert.deepEqual(ignored.headers, { "X-Clipscope-Ignored": "use_safety_model" });
  });

  it("sends thumbnails of rows that have one", async () => {
    const { type, body } = await call("/thumb/", "", "1");
    assert.deepEqual([type, body], ["image/jpeg", Uint8Array.of(0xff, 0xd8)]);
    for (const [rest, query] of [
      ["0", ""],
      ["-1", ""],
      ["1.5", ""],
      ["../1", ""],
      ["1", "index=other"],
    ] as const) {
      await assert.rejects(call("/thumb/", "", rest, query), { status: 404 });
    }
  });

  it("refuses what is not JSON in UTF-8", async () => {
    for (const path of ["/knn-service", "/metadata", "/v1/embeddings"]) {
      await assert.rejects(call(path, "text=a"), /request: not valid JSON/);
      await assert.rejects(call(path, "[]"), /expected an object/);
    }
  });

  it("answers /metrics in Prometheus' format", async () => {
    const { type, body } = await call("/metrics");
    assert.match(type, /^text\/plain; version=0\.0\.4/);
    assert.deepEqual(
      parseExposition(body as string).map(({ name }) => name),
      ["clipscope_query_embeddings_total", "clipscope_encode_seconds", "clipscope_search_seconds"],
    );
  });
});
