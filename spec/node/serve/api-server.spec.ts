import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { ApiServer, type ApiServerOptions } from "../../../lib/node/serve/api-server.ts";
import { serveRules } from "../../../lib/node/serve/serve-rules.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { exposition } from "../../../lib/serve/metrics.ts";
import type { Call, Reply, Route } from "../../../lib/serve/routes.ts";
import { parseExposition, valueOf } from "../../support/prometheus.ts";

const json = (document: unknown): Promise<Reply> =>
  Promise.resolve({ type: "application/json", body: JSON.stringify(document) });

describe("ApiServer", () => {
  const servers: ApiServer[] = [];
  const errors: unknown[] = [];
  /** Calls of /wait that have not been answered. */
  const waiting: { readonly call: Call; readonly end: () => void }[] = [];
  afterEach(async () => {
    for (const { end } of waiting.splice(0)) end();
    for (const server of servers.splice(0)) await server.stop();
    errors.length = 0;
  });

  const routes: readonly Route[] = [
    { path: "/health", method: "GET", isOpen: true, isQuick: true, answer: () => json({ status: "ok" }) },
    { path: "/echo", method: "POST", answer: ({ body }) => json({ bytes: body.length }) },
    {
      path: "/wait",
      method: "POST",
      answer: (call) =>
        new Promise((resolve, reject) => {
          waiting.push({ call, end: () => void json("done").then(resolve) });
          call.signal.addEventListener("abort", () => {
            reject(call.signal.reason as Error);
          });
        }),
    },
    { path: "/input", method: "POST", answer: () => Promise.reject(new InputError("text: wrong")) },
    { path: "/v1/input", method: "POST", answer: () => Promise.reject(new InputError("text: wrong")) },
    { path: "/bug", method: "POST", answer: () => Promise.reject(new Error("/home/secret: broken")) },
  ];

  async function start(options: Partial<ApiServerOptions> = {}, host = "127.0.0.1"): Promise<string> {
    const server = new ApiServer({
      routes,
      manifest: new Map([["/", { json: "page" }]]),
      token: null,
      rules: serveRules({ host, allowedHosts: [], allowedOrigins: [] }),
      onError: (error) => errors.push(error),
      ...options,
    });
    servers.push(server);
    await server.listen(0, host);
    return `http://127.0.0.1:${server.port}`;
  }

  const post = (url: string, body: RequestInit["body"] = "{}", headers: Record<string, string> = {}) =>
    fetch(url, { method: "POST", body: body ?? null, headers });

  /** A request with headers that fetch does not let through. */
  async function withHeaders(url: string, headers: Record<string, string>, method = "GET"): Promise<number> {
    const request = httpRequest(url, { method, headers }).end();
    const [response] = (await once(request, "response")) as [{ statusCode: number; resume: () => void }];
    response.resume();
    return response.statusCode;
  }

  async function until(condition: () => boolean): Promise<void> {
    for (let i = 0; !condition() && i < 500; i++) await setTimeout(10);
    assert.ok(condition(), "it did not happen in time");
  }

  it("answers routes and the page, and nothing else", async () => {
    const url = await start();
    assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: "ok" });
    assert.equal(await (await fetch(url)).json(), "page");
    const missing = await fetch(`${url}/etc/passwd`);
    assert.deepEqual([missing.status, await missing.json()], [404, { message: "no such path" }]);
    const wrong = await fetch(`${url}/echo`);
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
    assert.equal((await post(`${url}/health`)).status, 405);
  });

  it("every answer keeps other sites out", async () => {
    const url = await start();
    for (const path of ["/health", "/", "/missing"]) {
      const { headers } = await fetch(url + path);
      assert.match(headers.get("content-security-policy")!, /^default-src 'none'; .*frame-ancestors 'none'$/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
  });

  it("refuses hosts that resolve here, and pages of other origins", async () => {
    const url = await start();
    const { host } = new URL(url);
    assert.equal(await withHeaders(`${url}/health`, { Host: "evil.example" }), 403);
    assert.equal(await withHeaders(`${url}/health`, { Host: `evil.example:${new URL(url).port}` }), 403);
    assert.equal(
      await withHeaders(`${url}/echo`, { Host: host, Origin: "https://evil.example" }, "POST"),
      403,
    );
    assert.equal(await withHeaders(`${url}/echo`, { Host: host, Origin: "null" }, "POST"), 403);
    assert.equal(
      await withHeaders(`${url}/echo`, { Host: host, "Sec-Fetch-Site": "cross-site" }, "POST"),
      403,
    );
    assert.equal(await withHeaders(`${url}/echo`, { Host: host, Origin: url }, "POST"), 200);
  });

  it("lets the origins that are named read answers, and no others", async () => {
    const origin = "http://front.example:8080";
    const rules = serveRules({ host: "127.0.0.1", allowedHosts: [], allowedOrigins: [origin] });
    const url = await start({ rules, token: "0123456789abcdef" });
    const preflight = await fetch(`${url}/echo`, { method: "OPTIONS", headers: { Origin: origin } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
    assert.match(preflight.headers.get("access-control-allow-headers")!, /Authorization/);
    const answer = await post(`${url}/echo`, "{}", {
      Origin: origin,
      Authorization: "Bearer 0123456789abcdef",
    });
    assert.deepEqual(
      [answer.status, answer.headers.get("access-control-allow-origin"), answer.headers.get("vary")],
      [200, origin, "Origin"],
    );
    const other = await fetch(`${url}/echo`, {
      method: "OPTIONS",
      headers: { Origin: "http://other.example" },
    });
    assert.deepEqual([other.status, other.headers.get("access-control-allow-origin")], [403, null]);
  });

  it("answers only those who send the token, as a bearer or as a password; all may ask for its health", async () => {
    const url = await start({ token: "0123456789abcdef" });
    const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString("base64")}`;
    const statusWith = async (authorization: string | null) =>
      (await post(`${url}/echo`, "{}", authorization === null ? {} : { Authorization: authorization }))
        .status;
    assert.equal(await statusWith(null), 401);
    assert.equal(await statusWith("Bearer 0123456789abcdeF"), 401);
    assert.equal(await statusWith("0123456789abcdef"), 401);
    assert.equal(await statusWith(basic("wrong")), 401);
    assert.equal(await statusWith("Bearer 0123456789abcdef"), 200);
    assert.equal(await statusWith(basic("0123456789abcdef")), 200);
    const page = await fetch(url);
    assert.equal(page.status, 401);
    assert.match(page.headers.get("www-authenticate")!, /^Basic /);
    assert.equal((await fetch(`${url}/health`)).status, 200);
  });

  it("refuses bodies that are too large before they are sent, and while they are", async () => {
    const url = await start({ limits: { largestBody: 1000 } });
    assert.deepEqual(await (await post(`${url}/echo`, "a".repeat(1000))).json(), { bytes: 1000 });
    const { port } = new URL(url);
    /** The status line, of a request of which no more than this is sent. */
    const answerTo = async (request: string): Promise<string> => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.write(request);
      const [data] = (await once(socket, "data")) as [Buffer];
      socket.destroy();
      return data.toString().split("\r\n", 1)[0]!;
    };
    const head = `POST /echo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
    assert.match(await answerTo(`${head}Content-Length: 1001\r\n\r\n`), / 413 /);
    const chunk = "a".repeat(600);
    assert.match(
      await answerTo(`${head}Transfer-Encoding: chunked\r\n\r\n258\r\n${chunk}\r\n258\r\n${chunk}\r\n`),
      / 413 /,
    );
    assert.match(await answerTo(`${head}Content-Length: -1\r\n\r\n`), / 400 /);
    assert.equal((await fetch(`${url}/health`)).status, 200);
  });

  it("tells a client what is wrong with its request, in OpenAI's form where it expects that", async () => {
    const url = await start();
    const plain = await post(`${url}/input`);
    assert.deepEqual([plain.status, await plain.json()], [400, { message: "text: wrong" }]);
    const openAi = await post(`${url}/v1/input`);
    assert.deepEqual(await openAi.json(), {
      error: { message: "text: wrong", type: "invalid_request_error", param: null, code: null },
    });
    assert.deepEqual(errors, []);
  });

  it("tells it nothing about errors of the server", async () => {
    const url = await start();
    const bug = await post(`${url}/bug`);
    assert.deepEqual([bug.status, await bug.json()], [500, { message: "internal error" }]);
    assert.equal(errors.length, 1);
  });

  it("gives work up whose client has gone", async () => {
    const url = await start();
    const client = new AbortController();
    const request = fetch(`${url}/wait`, { method: "POST", body: "{}", signal: client.signal });
    await until(() => waiting.length === 1);
    client.abort();
    await assert.rejects(request);
    await until(() => waiting[0]!.call.signal.aborted);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.deepEqual(errors, []);
  });

  it("tells clients to come back when there are too many, and stays healthy", async () => {
    const url = await start({ limits: { mostRequests: 2 } });
    const accepted = [post(`${url}/wait`), post(`${url}/wait`)];
    await until(() => waiting.length === 2);
    const refused = await post(`${url}/wait`);
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    for (const { end } of waiting.splice(0)) end();
    for (const request of accepted) assert.equal((await request).status, 200);
    const again = post(`${url}/wait`);
    await until(() => waiting.length === 1);
    waiting[0]!.end();
    assert.equal((await again).status, 200);
  });

  it("limits the memory of the bodies of all requests together", async () => {
    const url = await start({ limits: { largestBodies: 1500 } });
    const first = post(`${url}/wait`, "a".repeat(1000));
    await until(() => waiting.length === 1);
    assert.equal((await post(`${url}/echo`, "a".repeat(1000))).status, 503);
    assert.equal((await post(`${url}/echo`, "a".repeat(500))).status, 200);
    waiting[0]!.end();
    assert.equal((await first).status, 200);
    assert.equal((await post(`${url}/echo`, "a".repeat(1000))).status, 200);
  });

  it("gives up what takes too long", async () => {
    const url = await start({ limits: { answer: 50 } });
    const late = await post(`${url}/wait`);
    assert.deepEqual(
      [late.status, late.headers.get("retry-after"), await late.json()],
      [503, "1", { message: "no answer in time; try again later" }],
    );
    assert.equal(waiting[0]!.call.signal.aborted, true);
  });

  it("answers what it works on when it stops, and refuses the rest", async () => {
    const url = await start();
    const running = post(`${url}/wait`);
    await until(() => waiting.length === 1);
    const stopped = servers[0]!.stop();
    await assert.rejects(fetch(`${url}/health`));
    waiting[0]!.end();
    assert.equal(await (await running).json(), "done");
    await stopped;
  });

  it("refuses further requests of a connection that is open when it stops", async () => {
    const url = await start();
    const { port } = new URL(url);
    const socket = connect(Number(port), "127.0.0.1");
    let text = "";
    socket.on("data", (bytes) => (text += bytes.toString()));
    const request = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 2\r\n\r\n{}`;
    socket.write(request("/wait"));
    await until(() => waiting.length === 1);
    const stopped = servers[0]!.stop();
    socket.write(request("/echo"));
    waiting[0]!.end();
    await stopped;
    await until(() => text.includes("done"));
    assert.doesNotMatch(text, /"bytes"/);
  });

  it("ends within its time of grace, whatever runs", async () => {
    const url = await start({ limits: { grace: 50 } });
    const settled = post(`${url}/wait`).then(
      ({ status }) => status,
      () => null,
    );
    await until(() => waiting.length === 1);
    await servers[0]!.stop();
    assert.equal(waiting[0]!.call.signal.aborted, true);
    await settled;
  });

  it("counts requests by route and status", async () => {
    const url = await start();
    await post(`${url}/echo`);
    await post(`${url}/input`);
    await fetch(`${url}/some/path/of/no/route`);
    const values = () => parseExposition(exposition(servers[0]!.metrics));
    await until(() => valueOf(values(), "clipscope_http_requests_total") === 3);
    for (const [route, status] of [
      ["/echo", "200"],
      ["/input", "400"],
      ["page", "404"],
    ] as const) {
      assert.equal(valueOf(values(), "clipscope_http_requests_total", { route, status }), 1, route);
    }
    assert.equal(valueOf(values(), "clipscope_http_requests"), 0);
  });
});
