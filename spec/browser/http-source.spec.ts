import assert from "node:assert/strict";
import { HttpSource, type Fetch } from "../../lib/browser/http-source.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

/** A server of one file. */
function server(changes: { status?: number; tag?: () => string; total?: number } = {}): {
  fetch: Fetch;
  most: () => number;
} {
  let [running, most] = [0, 0];
  const { status = 206, tag = () => '"1"', total = content.length } = changes;
  return {
    most: () => most,
    fetch: async (_url, { headers }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      const [, first = "0", last = "0"] = /bytes=(\d+)-(\d+)/.exec(headers["Range"]!) ?? [];
      return new Response(content.slice(Number(first), Number(last) + 1), {
        status,
        headers: { ETag: tag(), "Content-Range": `bytes ${first}-${last}/${total}` },
      });
    },
  };
}

describe("HttpSource", () => {
  it("reads ranges, four at a time", async () => {
    const { fetch, most } = server();
    const source = await HttpSource.open("http://host/file", fetch);
    assert.equal(source.size, 1000);
    const parts = await Promise.all(Array.from({ length: 20 }, (_, i) => source.read(i * 50, 50)));
    assert.deepEqual(Buffer.concat(parts), Buffer.from(content));
    assert.equal(most(), 4);
    assert.equal((await source.read(3, 0)).length, 0);
  });

  it("refuses a server that sends the whole file, or another status", async () => {
    await assert.rejects(
      HttpSource.open("u", server({ status: 200 }).fetch),
      /status 206\), found status 200/,
    );
    await assert.rejects(
      HttpSource.open("u", server({ status: 404 }).fetch),
      /expected status 206, found 404/,
    );
  });

  it("refuses a file that changes after it was opened", async () => {
    let version = 1;
    const source = await HttpSource.open("u", server({ tag: () => `"${version}"` }).fetch);
    version = 2;
    await assert.rejects(source.read(0, 10), /has changed since it was opened/);
  });

  it("refuses fewer bytes than asked for", async () => {
    const source = await HttpSource.open("u", server({ total: 2000 }).fetch);
    await assert.rejects(source.read(990, 20), /expected 20 bytes from 990, found 10/);
  });
});
