import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { serve } from "../../examples/browser/serve.ts";

describe("the browser example", () => {
  const server = serve();
  let origin = "";
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
  });

  it("serves every module that the page imports, none of them Node's", async () => {
    const html = await (await fetch(`${origin}/`)).text();
    const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(html)![1]!) as {
      imports: Record<string, string>;
    };
    const seen = new Set<string>();
    const visit = async (url: string): Promise<void> => {
      if (seen.has(url) || url.startsWith("data:")) return;
      seen.add(url);
      const response = await fetch(url);
      assert.deepEqual(
        [url, response.status, response.headers.get("Content-Type")],
        [url, 200, "text/javascript"],
      );
      for (const [, to = ""] of (await response.text()).matchAll(
        /^(?:(?:import|export)\b[^;"'=]*? from |import )["']([^"']+)["'];?$/gm,
      )) {
        assert.ok(/^[./]/.test(to) || to in imports, `${url} imports ${to}`);
        await visit(new URL(imports[to] ?? to, url).href);
      }
    };
    await visit(new URL(/src="(.*?)"/.exec(html)![1]!, origin).href);
    const names = [...seen].map((url) => url.split("/").at(-1));
    for (const name of [
      "page.js",
      "vision-transformer.js",
      "products.js",
      "tf-core.fesm.js",
      "tf-backend-wasm.fesm.js",
    ]) {
      assert.ok(names.includes(name), name);
    }
  });

  it("lets the page share memory between threads", async () => {
    const { headers } = await fetch(`${origin}/`);
    assert.equal(headers.get("Cross-Origin-Opener-Policy"), "same-origin");
    assert.equal(headers.get("Cross-Origin-Embedder-Policy"), "require-corp");
  });

  it("answers 404 for paths outside the checkout and for malformed paths", async () => {
    for (const path of ["/..%2f..%2fetc/passwd", "/%", "/lib", "/missing.js"]) {
      assert.equal((await fetch(origin + path)).status, 404, path);
    }
  });
});
