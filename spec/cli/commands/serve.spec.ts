import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { clipscope } from "../../support/cli.ts";
import { packageRoot } from "../../support/paths.ts";
import { parseExposition, valueOf } from "../../support/prometheus.ts";
import { servedFolders } from "../../support/served-indices.ts";

interface Row {
  readonly id: number;
  readonly similarity: number;
}

describe("clipscope serve", function () {
  this.timeout(60_000);
  const folders = servedFolders();
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  interface Started {
    readonly child: ChildProcess;
    readonly url: string;
    readonly indices: readonly { readonly name: string; readonly rows: number }[];
    /** Exit status, signal, and what was written to standard error. */
    readonly ended: Promise<readonly [number | null, NodeJS.Signals | null, string]>;
  }

  async function start(...args: string[]): Promise<Started> {
    const child = spawn(
      process.execPath,
      ["bin/clipscope.js", "serve", folders.photos, "--port", "0", "--json", "--backend", "wasm", ...args],
      { cwd: packageRoot, stdio: ["ignore", "pipe", "pipe"] },
    );
    children.push(child);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(child, "close").then(
      ([status, signal]: (number | NodeJS.Signals | null)[]) =>
        [status as number | null, signal as NodeJS.Signals | null, stderr] as const,
    );
    for await (const line of createInterface({ input: child.stdout }))
      return { child, ended, ...(JSON.parse(line) as Pick<Started, "url" | "indices">) };
    throw new Error(`the server has not started: ${stderr}`);
  }

  it("answers what `clipscope query` prints, and ends at SIGTERM when it has answered all", async () => {
    const { child, url, indices, ended } = await start(
      "--ignore-filter",
      "safety",
      "--ignore-filter",
      "violence",
    );
    assert.deepEqual(indices, [{ name: "photos", rows: 8 }]);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.match(await (await fetch(url)).text(), /<title>clipscope search<\/title>/);
    const ask = async (text: string): Promise<Row[]> => {
      const filters = { use_safety_model: true, use_violence_detector: true };
      const wanted = { modality: "image", num_images: 8, indice_name: "photos", return_images: false };
      const body = { text, ...wanted, ...filters };
      const response = await fetch(`${url}knn-service`, { method: "POST", body: JSON.stringify(body) });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("x-clipscope-ignored"), "use_safety_model, use_violence_detector");
      return (await response.json()) as Row[];
    };
    const found = await ask("three brown stars");
    const { stdout } = await clipscope(["query", folders.photos, "three brown stars", "--json"]);
    const expected = JSON.parse(stdout) as Row[];
    assert.deepEqual(
      found.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
    for (const [i, { similarity }] of expected.entries())
      assert.ok(Math.abs(found[i]!.similarity - similarity) < 1e-5);
    // A request that is being sent when the signal arrives.
    const [first, rest] = ['{"input": "the last ', 'text"}'];
    const headers = { "Content-Length": first.length + rest.length };
    const request = httpRequest(`${url}v1/embeddings`, { method: "POST", headers });
    request.write(first);
    const running = async (): Promise<number> =>
      valueOf(parseExposition(await (await fetch(`${url}metrics`)).text()), "clipscope_http_requests");
    // With the question itself.
    while ((await running()) < 2) await setTimeout(1);
    child.kill("SIGTERM");
    const isReachable = (): Promise<boolean> =>
      fetch(`${url}health`).then(
        () => true,
        () => false,
      );
    while (await isReachable()) await setTimeout(1);
    request.end(rest);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    assert.equal(((await json(response)) as { data: unknown[] }).data.length, 1);
    assert.deepEqual(await ended, [0, null, ""]);
  });

  it("ends at Ctrl+C too", async () => {
    const { child, ended } = await start();
    child.kill("SIGINT");
    assert.deepEqual(await ended, [0, null, ""]);
  });

  for (const [args, message] of [
    [["--host", "0.0.0.0"], /--host 0\.0\.0\.0: other machines can reach this address; set a token/],
    [["--host", "::"], /--host ::: other machines can reach/],
    [["--token", "short"], /--token: expected 16 or more ASCII characters/],
    [["--token", "with spaces in between"], /--token: expected 16 or more ASCII characters without spaces/],
    [["--port", "70000"], /--port 70000: expected a whole number of at most 65535/],
    [["--queue", "10"], /--queue 10: expected at least 64/],
    [["--allow-origin", "*"], /--allow-origin \*: expected an origin, such as https:\/\/example\.org/],
    [["--allow-origin", "https://example.org/page"], /expected an origin/],
    [["--allow-host", "http://example.org"], /--allow-host http:\/\/example\.org: expected a host name/],
    [["--ignore-filter", "nsfw"], /--ignore-filter nsfw: expected one of safety, violence, aesthetic, mclip/],
    [["--aesthetic", "missing.npy"], /missing\.npy/],
    [["--root", "missing"], /--root missing: expected a folder/],
    [["--safe-where", "NSFW = 'UNLIKELY'"], /where: expected a column of .*found NSFW/],
    [["--safe-where", "NSFW ="], /where: expected/],
    [
      ["--host", "192.0.2.1", "--token", "0123456789abcdef"],
      /--host 192\.0\.2\.1: expected an address of this machine/,
    ],
  ] as const) {
    it(`refuses ${args.join(" ")}`, async () => {
      const { status, stderr } = await clipscope(["serve", folders.photos, ...args]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });
  }

  it("takes the token from the environment, and answers nobody without it", async () => {
    const env = { CLIPSCOPE_TOKEN: "short" };
    const { status, stderr } = await clipscope(["serve", folders.photos, "--host", "0.0.0.0"], { env });
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: --token: expected 16 or more/);
    const { url } = await start("--host", "0.0.0.0", "--token", "0123456789abcdef");
    const local = url.replace("0.0.0.0", "127.0.0.1");
    assert.equal((await fetch(`${local}indices-list`)).status, 401);
    const headers = { Authorization: "Bearer 0123456789abcdef" };
    assert.deepEqual(await (await fetch(`${local}indices-list`, { headers })).json(), ["photos"]);
  });
});
