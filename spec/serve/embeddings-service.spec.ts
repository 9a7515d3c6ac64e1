import assert from "node:assert/strict";
import { JsonValue } from "../../lib/json/json-value.ts";
import { EmbeddingsService, type EmbeddingsAnswer } from "../../lib/serve/embeddings-service.ts";
import { QueryEmbeddings } from "../../lib/serve/query-embeddings.ts";
import { FakeEncoder } from "../support/fake-encoder.ts";

describe("EmbeddingsService", () => {
  const encoder = new FakeEncoder((item) => (typeof item === "string" ? [0.6, 0.8] : [item[0]!, 0]));
  const service = new EmbeddingsService({
    embeddings: new QueryEmbeddings(encoder, {
      cached: 10,
      readPixels: (content) => Promise.resolve(Float32Array.from(content)),
    }),
    model: "demo",
    width: 2,
    countTokens: (text) => Promise.resolve(text.length),
  });
  const embed = (body: unknown): Promise<EmbeddingsAnswer> =>
    service.embed(JsonValue.of(body, "request"), new AbortController().signal);

  it("answers a text in OpenAI's form", async () => {
    assert.deepEqual(await embed({ input: "hello", model: "text-embedding-3-small", user: "someone" }), {
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: [Math.fround(0.6), Math.fround(0.8)] }],
      model: "demo",
      usage: { prompt_tokens: 5, total_tokens: 5 },
    });
  });

  it("embeds texts and images in their order; images as data URLs", async () => {
    const image = `data:image/png;base64,${Buffer.from([7]).toString("base64")}`;
    const { data } = await embed({ input: ["a", { image }, { text: "b" }, { image: "CA==" }] });
    assert.deepEqual(
      data.map(({ index, embedding }) => [index, Math.round(10 * (embedding[0] as number))]),
      [
        [0, 6],
        [1, 70],
        [2, 6],
        [3, 80],
      ],
    );
  });

  it("gives float32, little-endian, in base64", async () => {
    const { data } = await embed({ input: "a", encoding_format: "base64", dimensions: 2 });
    const bytes = Buffer.from(data[0]!.embedding as string, "base64");
    assert.deepEqual([bytes.readFloatLE(0), bytes.readFloatLE(4)], [Math.fround(0.6), Math.fround(0.8)]);
  });

  for (const [body, message] of [
    [{}, /input/],
    [{ input: [] }, /1 to 64 texts or images/],
    [{ input: Array(65).fill("a") }, /1 to 64 texts or images/],
    [{ input: [1] }, /input\[0\]/],
    [{ input: [null] }, /input\[0\]/],
    [{ input: [{ text: "a", image: "CA==" }] }, /an object with text or image/],
    [{ input: [{ video: "a" }] }, /input\[0\]/],
    [{ input: "a", dimensions: 1 }, /dimensions/],
    [{ input: "a", encoding_format: "int8" }, /encoding_format/],
    [{ input: "a", truncate: true }, /truncate/],
    [{ input: " " }, /blank/],
  ] as const) {
    it(`refuses ${JSON.stringify(body).slice(0, 60)}`, () => assert.rejects(embed(body), message));
  }
});
