import assert from "node:assert/strict";
import { refuse } from "../../../lib/node/http/guard.ts";
import { isLoopback, serveRules } from "../../../lib/node/serve/serve-rules.ts";

describe("isLoopback", () => {
  it("is true for addresses that other machines cannot reach", () => {
    for (const host of ["127.0.0.1", "127.8.9.1", "localhost", "::1"])
      assert.equal(isLoopback(host), true, host);
    for (const host of ["0.0.0.0", "::", "192.168.1.2", "128.0.0.1", "127.evil.example", "example.org", ""])
      assert.equal(isLoopback(host), false, host);
  });
});

describe("serveRules", () => {
  const answers = (host: string, sent: string, allowedHosts: string[] = [], port = 1234, origin?: string) => {
    const rules = serveRules({ host, allowedHosts, allowedOrigins: [] })(port);
    return refuse({ headers: { host: sent, ...(origin !== undefined && { origin }) } }, rules) === null;
  };

  it("on loopback answers this machine's own names only", () => {
    for (const name of ["127.0.0.1:1234", "localhost:1234", "[::1]:1234"])
      assert.equal(answers("127.0.0.1", name), true, name);
    for (const name of ["127.0.0.1:1235", "localhost", "10.0.0.1:1234", "localhost:1234.evil.example", ""])
      assert.equal(answers("127.0.0.1", name), false, name);
  });

  it("elsewhere answers any address, which cannot be rebound, and the names that are given", () => {
    assert.equal(answers("0.0.0.0", "192.168.1.2:1234"), true);
    assert.equal(answers("0.0.0.0", "[fe80::1]:1234"), true);
    assert.equal(answers("0.0.0.0", "images.example.org:1234"), false);
    assert.equal(answers("images.example.org", "images.example.org:1234"), true);
    assert.equal(answers("0.0.0.0", "images.example.org:1234", ["images.example.org"]), true);
  });

  it("answers a proxy's name without a port, and its own pages", () => {
    const names = ["images.example.org"];
    assert.equal(answers("127.0.0.1", "images.example.org", names), true);
    assert.equal(answers("127.0.0.1", "images.example.org", names, 1234, "https://images.example.org"), true);
    assert.equal(answers("127.0.0.1", "images.example.org", names, 1234, "https://evil.example"), false);
  });

  it("needs no port where clients leave it out", () => {
    assert.equal(answers("127.0.0.1", "localhost", [], 80), true);
    assert.equal(answers("127.0.0.1", "localhost:80", [], 80), true);
  });
});
