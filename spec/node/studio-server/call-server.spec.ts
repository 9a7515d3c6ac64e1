/** The network behind the studio's server: its answers, its queue, and the requests that it refuses. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { CallServer } from "../../../lib/node/studio-server/call-server.ts";
import { serveStudio, type StudioServer } from "../../../lib/node/studio-server/server.ts";
import { Spool } from "../../../lib/node/studio-server/spool.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { Passes } from "../../../lib/studio/passes.ts";
import type { ImageEnd, ImagePart, ModelInfo } from "../../../lib/studio/results.ts";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { decodeWire, encodeWire } from "../../../lib/studio/wire.ts";
import { clipscope } from "../../support/cli.ts";
import { MemorySource } from "../../support/memory-source.ts";
import { sampleImage } from "../../support/passes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Line {
  readonly queued?: number;
  readonly progress?: readonly number[];
  readonly update?: ImagePart;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly isInput: boolean };
}

describe("CallServer", () => {
  const folder = temporaryFolder();
  let spool: Spool;
  let passes: Passes;
  let studio: StudioServer;
  let root: string;
  let token: string;
  beforeEach(async () => {
    spool = await Spool.create(folder.path);
    passes = new Passes(await loadModel(), nodeCodecs(), { newTrace: () => spool.newTrace() });
    studio = await serveStudio(
      new Map(),
      0,
      new CallServer(passes, await passes.info("demo", "wasm"), "0.0.0"),
    );
    [root = "", token = ""] = studio.url.split("#t=");
  });
  afterEach(async () => {
    await studio.close();
    await passes.model.dispose();
    await spool.close();
  });

  function post(name: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${root}api/calls/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}`, ...headers },
      body,
    });
  }

  async function call(name: string, params: unknown): Promise<Line[]> {
    const response = await post(name, encodeWire(params));
    assert.equal(response.status, 200);
    const lines = (await response.text()).trimEnd().split("\n");
    return lines.map((line) => decodeWire(line) as Line);
  }

  it("answers as the network does, and sends parts after each block", async () => {
    const file = await sampleImage("three-brown-stars");
    const [opened] = await call("open", null);
    assert.equal((opened!.result as ModelInfo).layers, 4);
    const lines = await call("image", file);
    const end = lines.at(-1)!.result as ImageEnd;
    const parts = lines.flatMap(({ update }) => update ?? []);
    assert.deepEqual(
      lines.flatMap(({ progress }) => (progress ? [progress] : [])),
      [1, 2, 3, 4].map((done) => [done, 4]),
    );
    assert.deepEqual(
      parts.map(({ inputs }) => inputs !== null),
      [true, false, false, false, false],
    );

    const direct = new Passes(passes.model, nodeCodecs());
    const { result } = await direct.image(file, {});
    const { taps, heads, patches, input } = result;
    assert.deepEqual(
      parts.flatMap((part) => part.taps),
      taps,
    );
    assert.deepEqual(
      parts.flatMap((part) => part.heads),
      heads,
    );
    assert.deepEqual(parts[0]!.inputs, { patches, input });
    assert.ok(end.milliseconds > 0);
    const again = await call("image", file);
    assert.deepEqual(
      again.map(({ update }) => update?.taps.length),
      [taps.length, undefined],
    );
    const tap = "visual.transformer.resblocks.3.attn#probabilities";
    const { trace } = end;
    const [whole] = await call("read", { trace, tap });
    assert.deepEqual(whole!.result, (await direct.find(trace).trace.read(tap)).slice());
    const [part] = await call("read", { trace, tap, start: 37, count: 37 });
    assert.deepEqual(part!.result, (whole!.result as Float32Array).slice(37, 74));
  });

  it("sends a kept pass as the file that trace writes, by range", async () => {
    const path = `${demoModel}/samples/three-brown-stars.png`;
    const out = folder.file("trace.safetensors");
    const text = "three brown stars";
    for (const args of [
      ["--image", path],
      ["--text", text],
    ]) {
      const { status } = await clipscope(["trace", ...args, "--out", out, "--taps", "*", "--taps", "*#*"]);
      assert.equal(status, 0);
      const question = args[0] === "--text" ? { text } : await sampleImage("three-brown-stars");
      const name = "text" in question ? "text" : "image";
      const { trace } = (await call(name, question)).at(-1)!.result as { readonly trace: string };
      const url = `${root}api/passes/${encodeURIComponent(trace)}/trace.safetensors`;
      const headers = { Authorization: `Bearer ${token}` };
      const whole = Buffer.from(await (await fetch(url, { headers })).arrayBuffer());
      const ours = await SafetensorsFile.open(new MemorySource(whole));
      const theirs = await SafetensorsFile.open(await FileSource.open(out));
      assert.deepEqual([...ours.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
      for (const tensor of theirs.tensors.keys()) {
        assert.ok(Buffer.compare(await ours.read(tensor), await theirs.read(tensor)) === 0, tensor);
      }
      await theirs.close();
      const part = await fetch(url, { headers: { ...headers, Range: "bytes=7-1000" } });
      assert.equal(part.status, 206);
      assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(7, 1001));
      assert.equal((await fetch(url)).status, 401);
    }
    for (const name of ["nothing", "%E0%A4%A", "..%2f..%2fetc", "__proto__"]) {
      const url = `${root}api/passes/${name}/trace.safetensors`;
      assert.equal((await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).status, 404);
    }
  });

  it("says what a user can fix", async () => {
    const [wrong] = await call("image", { key: "x", name: "x.png", bytes: new Uint8Array(40) });
    assert.match(wrong!.error!.message, /x\.png: expected an image/);
    assert.equal(wrong!.error!.isInput, true);
    const [gone] = await call("read", { trace: "image nothing", tap: "visual" });
    assert.match(gone!.error!.message, /no longer in memory/);
    const [malformed] = await call("image", { key: "x" });
    assert.equal(malformed!.error!.isInput, false);
  });

  it("runs one pass at a time, and tells the others how many come first", async () => {
    const names = ["three-brown-stars", "two-red-circles", "pink-ring-on-the-left"];
    const files = await Promise.all(names.map(sampleImage));
    const all = await Promise.all(files.map((file) => call("image", file)));
    const queued = all.map((lines) => lines.find((line) => line.queued !== undefined)?.queued ?? 0);
    assert.deepEqual(queued.sort(), [0, 1, 2]);
    assert.ok(all.every((lines) => lines.at(-1)!.result !== undefined));
  });

  it("stops when the client goes away, and answers the next one", async () => {
    const file = encodeWire(await sampleImage("three-brown-stars"));
    const { port } = new URL(root);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(
      `POST /api/calls/image HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${file.length}\r\n\r\n${file}`,
    );
    await once(socket, "data");
    socket.destroy();
    const next = await call("text", { text: "two red circles" });
    assert.ok(next.at(-1)!.result);
    assert.throws(() => passes.find("image s:three-brown-stars"), /no longer in memory/);
  });

  const refused: readonly (readonly [
    what: string,
    status: number,
    name: string,
    body: string,
    headers?: Record<string, string>,
  ])[] = [
    ["no token", 401, "open", "null", { Authorization: "" }],
    ["another token", 401, "open", "null", { Authorization: `Bearer ${"A".repeat(43)}` }],
    ["a token with another scheme", 401, "open", "null", { Authorization: "Basic AAAA" }],
    ["an unknown call", 404, "nothing", "null"],
    ["a name of the prototype", 404, "constructor", "null"],
    ["a path below a call", 404, "open/../open/x", "null"],
    ["a body that is no JSON", 400, "open", "{"],
    ["a typed array of another kind", 400, "open", '{"$array":["Map","AA=="]}'],
    ["a form", 415, "open", "a=1", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["a body of 33 MB", 413, "open", " ".repeat(33 * 2 ** 20)],
    ["a request of another site", 403, "open", "null", { "Sec-Fetch-Site": "cross-site" }],
    ["another origin", 403, "open", "null", { Origin: "https://evil.example" }],
  ];
  for (const [what, status, name, body, headers] of refused) {
    it(`answers ${status} to ${what}`, async () => {
      const { port } = new URL(root);
      // The server answers before it has read a body that is too long; fetch would fail.
      const socket = connect(Number(port), "127.0.0.1");
      let answer = "";
      socket.on("data", (bytes) => (answer += bytes.toString()));
      const closed = new Promise((resolve) => socket.on("error", resolve).on("close", resolve));
      const lines = Object.entries({
        Host: `127.0.0.1:${port}`,
        "Content-Type": "application/json",
        Authorization: `Bearer ${token}`,
        "Content-Length": `${body.length}`,
        ...headers,
      }).map(([key, text]) => `${key}: ${text}\r\n`);
      socket.write(`POST /api/calls/${name} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
      await closed;
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.doesNotMatch(answer, /Access-Control/i);
      assert.ok(!answer.includes(token));
    });
  }

  it("answers 413 to a long body without a length, and 405 to GET", async () => {
    const { port } = new URL(root);
    const head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const socket = connect(Number(port), "127.0.0.1");
    let answer = "";
    socket.on("data", (bytes) => (answer += bytes.toString()));
    const closed = new Promise((resolve) => socket.on("error", resolve).on("close", resolve));
    socket.write(`POST /api/calls/open HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `100000\r\n${" ".repeat(2 ** 20)}\r\n`;
    for (let sent = 0; sent <= 33 && !socket.destroyed; sent++) socket.write(chunk);
    await closed;
    assert.match(answer, /^HTTP\/1\.1 413 /);
    const get = await fetch(`${root}api/calls/open`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(get.status, 405);
    assert.equal(get.headers.get("Allow"), "POST");
  });
});
