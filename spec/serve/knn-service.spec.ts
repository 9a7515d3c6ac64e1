import assert from "node:assert/strict";
import { JsonValue } from "../../lib/json/json-value.ts";
import type { Filters } from "../../lib/serve/filters.ts";
import { KnnService, type FetchImage } from "../../lib/serve/knn-service.ts";
import { Problem } from "../../lib/serve/problem.ts";
import { QueryEmbeddings } from "../../lib/serve/query-embeddings.ts";
import { FakeEncoder } from "../support/fake-encoder.ts";
import { FakeIndex } from "../support/fake-index.ts";

const signal = new AbortController().signal;
const least = { modality: "image", num_images: 2, indice_name: "photos" };

describe("KnnService", () => {
  let index: FakeIndex;
  beforeEach(() => {
    index = new FakeIndex();
  });

  function service(
    filters: Filters = { ignored: new Set() },
    fetchImage: FetchImage | null = null,
  ): KnnService {
    const encoder = new FakeEncoder((item) => (item === "up" ? [0, 1] : [1, 0]));
    const embeddings = new QueryEmbeddings(encoder, {
      cached: 10,
      readPixels: (content) => Promise.resolve(Float32Array.from(content)),
    });
    return new KnnService({ indices: [index], embeddings, filters, fetchImage });
  }

  const ask = (body: object, from = service()) =>
    from.query(JsonValue.of({ ...least, ...body }, "request"), signal);

  it("gives metadata, images and similarities of the first rows, and ids of the others", async () => {
    const { results, ignored } = await ask({ text: "right", num_result_ids: 3 });
    const [, second, third] = results;
    assert.deepEqual(results[0], { caption: "row 0", id: 0, similarity: 1 });
    assert.deepEqual({ ...second, similarity: 0 }, { caption: "row 1", image: "/9g=", id: 1, similarity: 0 });
    assert.ok(Math.abs(second!.similarity - 0.8) < 1e-6);
    assert.deepEqual(third, { id: 2, similarity: 0 });
    assert.deepEqual(ignored, []);
  });

  it("adds terms with their weights, and what is returned besides", async () => {
    const terms = [{ text: "right" }, { text: "up", weight: 0.75 }];
    const { results } = await ask({ terms, return_embeddings: true, return_images: false });
    assert.deepEqual(results[0]!["embedding"], [Math.fround(0.8), Math.fround(0.6)]);
    assert.deepEqual([results[0]!.id, "image" in results[0]!], [1, false]);
    const minus = await ask({ terms: [{ text: "up" }, { id: 0, weight: -1 }] });
    assert.equal(minus.results[0]!.id, 2);
    assert.equal((await ask({ embedding_input: [0, 2] })).results[0]!.id, 2);
  });

  it("passes conditions, the least similarity and deduplication on to the index", async () => {
    const filters = { safety: "NSFW = 'UNLIKELY'", ignored: new Set<never>() };
    const body = {
      text: "up",
      where: "width > 1",
      min_similarity: 0.2,
      deduplicate: true,
      use_safety_model: true,
    };
    await ask(body, service(filters));
    assert.deepEqual(index.searches, [
      { side: "image", top: 2, conditions: ["NSFW = 'UNLIKELY'"], where: "width > 1", min: 0.2, dedup: 0.94 },
    ]);
  });

  it("moves the query towards the vector of a score", async () => {
    const aesthetic = Array.from({ length: 10 }, (_, score) => Float32Array.of(0, score / 9));
    const from = service({ aesthetic, ignored: new Set() });
    const { results } = await ask({ text: "right", aesthetic_score: 9, aesthetic_weight: 0.75 }, from);
    // (1, 0) + 0.75 · (0, 1) has the direction (0.8, 0.6).
    assert.equal(results[0]!.id, 1);
    assert.ok(Math.abs(results[0]!.similarity - 1) < 1e-6);
    assert.equal((await ask({ text: "right", aesthetic_score: 0 }, from)).results[0]!.id, 0);
  });

  for (const [body, status, message] of [
    [{ text: "a", indice_name: "other" }, 404, /indice_name: expected one of photos, found "other"/],
    [{ text: "a", modality: "text" }, 400, /modality: photos has no vectors of texts/],
    [{ embedding_input: [1, 2, 3] }, 400, /embedding_input: expected 2 numbers, found 3/],
    [{ image_url: "http://example.org/a.png" }, 403, /image_url: this server fetches no addresses/],
    [{ text: "a", use_safety_model: true }, 400, /no safety filter/],
  ] as const) {
    it(`refuses ${JSON.stringify(body)} with ${status}`, async () => {
      await assert.rejects(
        ask(body),
        (error) => error instanceof Problem && error.status === status && message.test(error.message),
      );
      assert.equal(index.searches.length, 0);
    });
  }

  it("fetches addresses if that is allowed", async () => {
    const fetched: string[] = [];
    const from = service(undefined, (url) => {
      fetched.push(url);
      return Promise.resolve(Uint8Array.of(1, 2));
    });
    assert.equal((await ask({ image_url: "http://example.org/a.png" }, from)).results[0]!.id, 0);
    assert.deepEqual(fetched, ["http://example.org/a.png"]);
  });

  it("answers /metadata in the order of the ids, with images", async () => {
    const from = service();
    assert.deepEqual(
      await from.metadata(JsonValue.of({ indice_name: "photos", ids: [2, 1] }, "request"), signal),
      [
        { id: 2, metadata: { caption: "row 2" } },
        { id: 1, metadata: { caption: "row 1", image: "/9g=" } },
      ],
    );
    await assert.rejects(
      from.metadata(JsonValue.of({ indice_name: "photos", ids: [3] }, "request"), signal),
      /expected the id of a row of photos, found 3/,
    );
  });
});
