import assert from "node:assert/strict";
import { loopbackRules, refuse, type GuardedRequest } from "../../../lib/node/http/guard.ts";

const port = 7833;
const rules = loopbackRules(port);
const request = (headers: GuardedRequest["headers"]): GuardedRequest => ({
  headers: { host: `127.0.0.1:${port}`, ...headers },
});

describe("refuse", () => {
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
    it(`answers ${host}, with and without its own origin`, () => {
      assert.equal(refuse(request({ host }), rules), null);
      assert.equal(refuse(request({ host, origin: `http://${host}` }), rules), null);
    });
  }

  const refused: readonly (readonly [what: string, headers: GuardedRequest["headers"]])[] = [
    ["another host", { host: "evil.example" }],
    ["a host that ends like ours", { host: `evil.example.127.0.0.1:${port}` }],
    ["a host that begins like ours", { host: `127.0.0.1:${port}.evil.example` }],
    ["a host that begins with localhost", { host: `localhost.evil.example:${port}` }],
    ["our host without its port", { host: "127.0.0.1" }],
    ["our host with another port", { host: "127.0.0.1:80" }],
    ["our host in capitals", { host: `LOCALHOST:${port}` }],
    ["an address of all interfaces", { host: `0.0.0.0:${port}` }],
    ["a host with a user", { host: `user@127.0.0.1:${port}` }],
    ["no host", { host: undefined }],
    ["two hosts", { host: [`127.0.0.1:${port}`, "evil.example"] }],
    ["another origin", { origin: "https://evil.example" }],
    ["an opaque origin", { origin: "null" }],
    ["an origin with another port", { origin: "http://127.0.0.1:3000" }],
    ["an origin with another scheme", { origin: `https://127.0.0.1:${port}` }],
    ["localhost's origin for 127.0.0.1", { origin: `http://localhost:${port}` }],
    ["a request from another site", { "sec-fetch-site": "cross-site" }],
    ["a request from another port of this machine", { "sec-fetch-site": "same-site" }],
  ];
  for (const [what, headers] of refused) {
    it(`refuses ${what}`, () => {
      assert.equal(refuse(request(headers), rules)?.status, 403);
    });
  }

  it("answers requests that the user makes", () => {
    assert.equal(refuse(request({ "sec-fetch-site": "none" }), rules), null);
    assert.equal(refuse(request({ "sec-fetch-site": "same-origin" }), rules), null);
  });
});
