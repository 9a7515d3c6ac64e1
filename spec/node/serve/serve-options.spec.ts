import assert from "node:assert/strict";
import { checkedServeOptions, type ServeOptions } from "../../../lib/node/serve/serve-options.ts";

describe("checkedServeOptions", () => {
  const check = (options: Partial<ServeOptions>) =>
    checkedServeOptions({ folders: ["photos"], onError: () => undefined, ...options });

  it("by default answers this machine only, fetches nothing and ignores no filter", () => {
    const { host, port, token, allowedHosts, allowedOrigins, allowUrls, filters, columns, roots } = check({});
    assert.deepEqual([host, port, token, allowUrls], ["127.0.0.1", 1234, null, false]);
    assert.deepEqual(
      [allowedHosts, allowedOrigins, columns, roots, [...filters.ignored]],
      [[], [], [], [], []],
    );
  });

  it("requires a token where other machines can reach the server", () => {
    for (const host of ["0.0.0.0", "::", "192.168.1.2", "images.example.org"]) {
      assert.throws(
        () => check({ host }),
        /--host .*: other machines can reach this address; set a token/,
        host,
      );
      assert.equal(check({ host, token: "0123456789abcdef" }).host, host);
    }
    for (const host of ["127.0.0.1", "localhost", "::1"]) assert.equal(check({ host }).token, null);
  });

  it("refuses tokens that could be guessed or not sent", () => {
    for (const token of [
      "",
      "short",
      "0123456789abcde",
      "0123456789 abcdef",
      "0123456789abcdef\n",
      "schlüsselschlüssel",
    ])
      assert.throws(() => check({ token }), /--token: expected 16 or more ASCII characters/, token);
  });
});
