import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { serveStudio, type StudioServer } from "../../../lib/node/studio-server/server.ts";
import type { Manifest } from "../../../lib/node/http/send-file.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("serveStudio", () => {
  const folder = temporaryFolder();
  let studio: StudioServer;
  beforeEach(async () => {
    writeFileSync(folder.file("page.html"), "<p>page</p>");
    writeFileSync(folder.file("secret.txt"), "secret");
    writeFileSync(
      folder.file("numbers.bin"),
      Uint8Array.from({ length: 100 }, (_, i) => i),
    );
    const manifest: Manifest = new Map([
      ["/", { file: folder.file("page.html") }],
      ["/assets/numbers.bin", { file: folder.file("numbers.bin") }],
      ["/studio.json", { json: { model: null } }],
    ]);
    studio = await serveStudio(manifest, 0);
  });
  afterEach(() => studio.close());

  /** Sends bytes as they are: fetch would normalise paths and headers. */
  async function raw(request: string): Promise<string> {
    const socket = connect(Number(new URL(studio.url).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => (answer += bytes.toString()));
    socket.end(request);
    await once(socket, "close");
    return answer;
  }

  it("sends the files of the manifest with headers that keep other sites out", async () => {
    const response = await fetch(studio.url);
    assert.equal(await response.text(), "<p>page</p>");
    const policy = response.headers.get("Content-Security-Policy")!;
    assert.match(
      policy,
      /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';.*frame-ancestors 'none'$/,
    );
    assert.doesNotMatch(policy, /'unsafe-(eval|inline)'/);
    assert.equal(response.headers.get("X-Content-Type-Options"), "nosniff");
    assert.equal(response.headers.get("Referrer-Policy"), "no-referrer");
    assert.equal(response.headers.get("Cross-Origin-Resource-Policy"), "same-origin");
    assert.equal(response.headers.get("Access-Control-Allow-Origin"), null);
    assert.deepEqual(await (await fetch(`${studio.url}studio.json`)).json(), { model: null });
  });

  it("sends ranges, and nothing for what has not changed", async () => {
    const url = `${studio.url}assets/numbers.bin`;
    const part = await fetch(url, { headers: { Range: "bytes=10-12" } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get("Content-Range"), "bytes 10-12/100");
    assert.deepEqual([...new Uint8Array(await part.arrayBuffer())], [10, 11, 12]);
    const end = await fetch(url, { headers: { Range: "bytes=-2" } });
    assert.deepEqual([...new Uint8Array(await end.arrayBuffer())], [98, 99]);
    assert.equal((await fetch(url, { headers: { Range: "bytes=100-" } })).status, 416);
    const tag = part.headers.get("ETag")!;
    assert.equal((await fetch(url, { headers: { "If-None-Match": tag } })).status, 304);
  });

  it("has no other paths, however they are written", async () => {
    const { host } = new URL(studio.url);
    const paths = [
      "/secret.txt",
      "/../secret.txt",
      "/assets/../secret.txt",
      "/assets/..%2fsecret.txt",
      "/%2e%2e/secret.txt",
      "/assets/numbers.bin/",
      "//assets/numbers.bin",
      "/assets\\numbers.bin",
      "/%",
      "/__proto__",
      folder.file("secret.txt"),
      `http://${host}/`,
    ];
    for (const path of paths) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /, path);
      assert.doesNotMatch(answer, /secret/);
    }
  });

  it("refuses other hosts and methods before it looks at the path", async () => {
    const { host } = new URL(studio.url);
    const other = await raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert.match(other, /^HTTP\/1\.1 403 /);
    assert.doesNotMatch(other, /<p>page/);
    const post = await raw(
      `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    assert.match(post, /^HTTP\/1\.1 405 /);
    assert.match(await raw("nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
  });

  it("refuses a port that is in use", async () => {
    const port = Number(new URL(studio.url).port);
    await assert.rejects(serveStudio(new Map(), port), {
      message: `port ${port}: it is in use; choose another one with --port`,
    });
  });
});
