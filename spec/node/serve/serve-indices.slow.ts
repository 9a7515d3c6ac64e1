/** A server under load: every request is answered, and its memory stays flat. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { clipClient, clipClientBody, withoutFilters } from "../../support/clip-client.ts";
import { load, serveProcess, type ServeProcess } from "../../support/serve-load.ts";
import { servedFolders } from "../../support/served-indices.ts";

const seconds = 60;
const warmUp = 15;
/** Bytes. What a leak of one embedding or one image a request adds in a minute is far more. */
const mostGrowth = 40e6;

describe("clipscope serve under load", function () {
  this.timeout(240_000);
  const folders = servedFolders();
  let server: ServeProcess;
  before(async () => {
    server = await serveProcess(folders.shards, "--backend", "wasm", "--cache", "100");
  });
  after(() => server.stop());

  it(`answers 16 clients for ${seconds} s without an error, and with flat memory`, async () => {
    const image = readFileSync(join(folders.images, "orange-heart.jpg")).toString("base64");
    const where = "caption LIKE '%red%'";
    /** Texts that were asked before, new ones, images, conditions. */
    const body = (n: number): object => {
      const query = n % 16 === 0 ? { image } : { text: n % 4 === 0 ? "red" : `text ${n}` };
      const client = JSON.parse(
        clipClientBody({ ...query, indice_name: "shards" }, withoutFilters),
      ) as object;
      return n % 8 === 1 ? { ...client, where } : client;
    };
    const { url } = server;
    await load({ url, clients: 16, seconds: warmUp, body });
    const before = await server.memory();
    const { requests, errors, milliseconds } = await load({ url, clients: 16, seconds, body });
    const after = await server.memory();
    const ms = (share: number): string => milliseconds[Math.floor(share * (requests - 1))]!.toFixed(0);
    console.log(
      `      ${requests} requests, median ${ms(0.5)} ms, 99 % ${ms(0.99)} ms; ` +
        `RSS ${(before / 1e6).toFixed(0)} MB, then ${(after / 1e6).toFixed(0)} MB`,
    );
    assert.deepEqual(errors, []);
    assert.ok(requests > 100, `${requests} requests`);
    assert.ok(after - before < mostGrowth, `${((after - before) / 1e6).toFixed(0)} MB more`);
  });

  it("answers after clients have gone, one after another and all at once", async () => {
    const { url } = server;
    for (let round = 0; round < 20; round++) {
      const gone = new AbortController();
      const requests = Array.from({ length: 16 }, (_, i) =>
        fetch(`${url}knn-service`, {
          method: "POST",
          body: clipClientBody({ text: `gone ${round} ${i}`, indice_name: "shards" }, withoutFilters),
          signal: gone.signal,
        }),
      );
      const settled = Promise.allSettled(requests);
      await Promise.race([requests[0], new Promise((resolve) => setTimeout(resolve, round))]).catch(
        () => null,
      );
      gone.abort();
      await settled;
    }
    const response = await clipClient(url, { text: "red", indice_name: "shards" }, withoutFilters);
    assert.equal(response.status, 200);
    const metrics = await (await fetch(`${url}metrics`)).text();
    assert.match(metrics, /^clipscope_queue_items\{modality="text"\} 0$/m);
    // The one that asks.
    assert.match(metrics, /^clipscope_http_requests 1$/m);
  });
});
