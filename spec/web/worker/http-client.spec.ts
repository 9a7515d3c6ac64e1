import assert from "node:assert/strict";
import { encodeWire } from "../../../lib/studio/wire.ts";
import { HttpClient, type DisconnectedError } from "../../../web/worker/http-client.ts";

describe("HttpClient", () => {
  const original = globalThis.fetch;
  let token = "old";
  let lost: DisconnectedError[] = [];
  const client = new HttpClient({
    token: () => token,
    onQueue: () => undefined,
    onLost: (error) => lost.push(error),
  });
  beforeEach(() => {
    token = "old";
    lost = [];
  });
  afterEach(() => {
    globalThis.fetch = original;
  });

  const authorization = (options: RequestInit | undefined): string =>
    new Headers(options?.headers).get("Authorization")!;
  const answer = (result: unknown): Response => new Response(`${encodeWire({ result })}\n`);

  it("asks again if the token changed while a server refused the one before", async () => {
    const asked: string[] = [];
    globalThis.fetch = (_, options) => {
      asked.push(authorization(options));
      if (asked.length > 1) return Promise.resolve(answer(7));
      token = "new";
      return Promise.resolve(new Response("unknown token", { status: 401 }));
    };
    assert.equal(await client.call("open", null), 7);
    assert.deepEqual(asked, ["Bearer old", "Bearer new"]);
    assert.deepEqual(lost, []);
  });

  it("is lost if the server refuses the token, and if the connection ends within an answer", async () => {
    globalThis.fetch = () => Promise.resolve(new Response("unknown token", { status: 401 }));
    await assert.rejects(client.call("open", null), /does not know this page/);
    globalThis.fetch = () => Promise.resolve(new Response(`${encodeWire({ queued: 1 })}\n`));
    await assert.rejects(client.call("open", null), /does not answer/);
    globalThis.fetch = () => Promise.reject(new TypeError("connection refused"));
    await assert.rejects(client.call("open", null), /does not answer/);
    assert.deepEqual(
      lost.map(({ isRefused }) => isRefused),
      [true, false, false],
    );
  });
});
