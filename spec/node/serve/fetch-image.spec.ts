import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { LookupAddress } from "node:dns";
import { closeServer, listen, portOf } from "../../../lib/node/http/listen.ts";
import { fetchImage, type FetchImageOptions } from "../../../lib/node/serve/fetch-image.ts";

const refused = {
  status: 400,
  message: "image_url: expected a public address of an image, found none there",
};

describe("fetchImage", () => {
  let server: Server;
  let port: number;
  const asked: string[] = [];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  beforeEach(async () => {
    asked.length = 0;
    answer = (_, response) => response.end("image");
    server = createServer((request, response) => {
      asked.push(request.url!);
      answer(request, response);
    });
    await listen(server, 0);
    port = portOf(server);
  });
  afterEach(() => closeServer(server));

  const signal = new AbortController().signal;
  /** Names resolve to these addresses; this machine's counts as public. */
  const open = (addresses: readonly string[] = ["127.0.0.1"]): FetchImageOptions => ({
    largest: 1000,
    ports: [port],
    isAllowed: (address) => address === "127.0.0.1",
    lookup: ((_name: string, _options: unknown, callback: (error: null, found: LookupAddress[]) => void) => {
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
    }) as unknown as NonNullable<FetchImageOptions["lookup"]>,
  });

  it("gets the bytes of an address, also after redirects", async () => {
    answer = ({ url }, response) => {
      if (url === "/old") response.writeHead(302, { Location: `http://b.example:${port}/image` }).end();
      else response.end("image");
    };
    const bytes = await fetchImage(`http://a.example:${port}/old`, signal, open());
    assert.equal(Buffer.from(bytes).toString(), "image");
    assert.deepEqual(asked, ["/old", "/image"]);
  });

  it("does not connect to addresses of this machine and its network", async () => {
    for (const host of ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]) {
      const url = `http://${host}:${port}/`;
      await assert.rejects(fetchImage(url, signal, { largest: 1000, ports: [port] }), refused, host);
    }
    assert.deepEqual(asked, []);
  });

  it("does not connect where a name resolves to such an address, even among others", async () => {
    for (const addresses of [["10.0.0.1"], ["127.0.0.1", "10.0.0.1"]])
      await assert.rejects(fetchImage(`http://a.example:${port}/`, signal, open(addresses)), refused);
    assert.deepEqual(asked, []);
  });

  it("checks every address that it is redirected to, and does not follow for ever", async () => {
    answer = (_, response) => response.writeHead(302, { Location: `http://127.0.0.2:${port}/` }).end();
    await assert.rejects(fetchImage(`http://a.example:${port}/`, signal, open()), refused);
    assert.equal(asked.length, 1);
    answer = (_, response) => response.writeHead(302, { Location: "/again" }).end();
    await assert.rejects(fetchImage(`http://a.example:${port}/`, signal, open()), refused);
    assert.equal(asked.length, 5);
  });

  it("refuses other protocols, ports and passwords", async () => {
    for (const url of [
      "file:///etc/passwd",
      "ftp://a.example/",
      "data:image/png;base64,aGk=",
      `http://me:secret@a.example:${port}/`,
      `http://a.example:${port + 1}/`,
      "not an address",
      "",
    ]) {
      await assert.rejects(fetchImage(url, signal, open()), refused, url);
    }
    assert.deepEqual(asked, []);
  });

  it("refuses answers that are too long, slow, or failures; with the same words", async () => {
    const from = (options: Partial<FetchImageOptions> = {}) =>
      fetchImage(`http://a.example:${port}/`, signal, { ...open(), ...options });
    answer = (_, response) => response.end("a".repeat(1001));
    await assert.rejects(from(), refused);
    answer = (_, response) => {
      response.write("a".repeat(600));
      response.end("a".repeat(600));
    };
    await assert.rejects(from(), refused);
    answer = (_, response) => response.writeHead(404).end();
    await assert.rejects(from(), refused);
    answer = () => undefined;
    await assert.rejects(from({ timeout: 50 }), refused);
  });

  it("ends with its signal", async () => {
    const stop = new AbortController();
    answer = () => {
      stop.abort(new Error("gone"));
    };
    await assert.rejects(fetchImage(`http://a.example:${port}/`, stop.signal, open()), /gone/);
  });
});
