import assert from "node:assert/strict";
import { QueryEmbeddings } from "../../lib/serve/query-embeddings.ts";
import { FakeEncoder } from "../support/fake-encoder.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

function embeddingsOf(encoder: FakeEncoder, cached = 10): QueryEmbeddings {
  return new QueryEmbeddings(encoder, {
    cached,
    readPixels: (content) => Promise.resolve(Float32Array.from(content)),
  });
}

describe("QueryEmbeddings", () => {
  const lengths = () => new FakeEncoder((item) => [item.length, 0]);

  it("computes each text and image once, and keeps the most recent", async () => {
    const encoder = lengths();
    const embeddings = embeddingsOf(encoder, 2);
    const [one, three] = await embeddings.texts(["a", "abc"]);
    assert.deepEqual([one![0], three![0]], [1, 3]);
    const [image] = await embeddings.images([{ name: "image", bytes: bytes("a") }]);
    assert.equal(image![0], 1); // an image of the same bytes as a text has its own
    assert.equal(encoder.passes.length, 3);
    await embeddings.texts(["abc"]);
    assert.equal(encoder.passes.length, 3);
    await embeddings.texts(["a"]); // forgotten: two are kept
    assert.equal(encoder.passes.length, 4);
    const counts = embeddings.metrics[0]!.samples();
    assert.deepEqual(
      counts.map(({ labels, value }) => [labels["modality"], labels["cached"], value]),
      [
        ["text", "false", 3],
        ["image", "false", 1],
        ["text", "true", 1],
      ],
    );
  });

  it("callers of the same text at the same time share a pass", async () => {
    const encoder = lengths();
    const embeddings = embeddingsOf(encoder);
    const all = await Promise.all(Array.from({ length: 8 }, () => embeddings.texts(["same", "same"])));
    assert.equal(encoder.passes.length, 1);
    for (const both of all) assert.deepEqual([both[0]![0], both[1]![0]], [4, 4]);
  });

  it("takes what nobody waits for out of the queue", async () => {
    const encoder = new FakeEncoder(() => new Promise(() => undefined));
    const embeddings = embeddingsOf(encoder);
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [embeddings.texts(["a"], first.signal), embeddings.texts(["a"], second.signal)];
    const settled = Promise.allSettled(calls);
    await new Promise((resolve) => setTimeout(resolve, 5));
    first.abort(new Error("gone"));
    await assert.rejects(calls[0]!, /gone/);
    assert.equal(encoder.passes[0]!.signal!.aborted, false);
    second.abort(new Error("gone too"));
    await settled;
    assert.equal(encoder.passes[0]!.signal!.aborted, true);
  });

  it("does not keep failures; the first one gives up the rest of its call", async () => {
    let isBroken = true;
    let start = (): void => undefined;
    const slowIsRunning = new Promise<void>((resolve) => {
      start = resolve;
    });
    const encoder = new FakeEncoder(async (item) => {
      if (item === "slow") {
        start();
        return new Promise(() => undefined);
      }
      await slowIsRunning;
      if (isBroken) throw new Error("broken");
      return [1, 0];
    });
    const embeddings = embeddingsOf(encoder);
    await assert.rejects(embeddings.texts(["slow", "a"]), /broken/);
    assert.equal(encoder.passes.find(({ items }) => items[0] === "slow")!.signal!.aborted, true);
    isBroken = false;
    assert.equal((await embeddings.texts(["a"]))[0]![0], 1);
  });

  it("refuses blank and endless texts before the network runs", () => {
    const encoder = lengths();
    const embeddings = embeddingsOf(encoder);
    assert.throws(() => embeddings.texts([" \n"]), /expected a text, found a blank one/);
    assert.throws(() => embeddings.texts(["a".repeat(10_001)]), /at most 10000 characters, found 10001/);
    assert.equal(encoder.passes.length, 0);
  });
});
