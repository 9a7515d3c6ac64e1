import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import type { ImagePart, ModelInfo } from "../../../lib/studio/results.ts";
import { clipscope } from "../../support/cli.ts";
import { fixture, packageRoot } from "../../support/paths.ts";
import { sampleImage } from "../../support/passes.ts";
import { ask } from "../../support/studio-calls.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope studio", function () {
  this.timeout(60_000);
  const folder = temporaryFolder();
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  /** Starts the command, whose temporary folder is the spec's. */
  async function start(...args: string[]): Promise<{ readonly child: ChildProcess; readonly url: string }> {
    const child = spawn(
      process.execPath,
      ["bin/clipscope.js", "studio", "--port", "0", "--json", "--backend", "wasm", ...args],
      {
        cwd: packageRoot,
        env: { ...process.env, TMPDIR: folder.path, TEMP: folder.path },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    children.push(child);
    let text = "";
    for await (const line of createInterface({ input: child.stdout })) {
      text += line;
      if (line.endsWith("}")) break;
    }
    return { child, ...(JSON.parse(text) as { readonly url: string }) };
  }

  it("prints the address with the token, and ends at Ctrl+C without leaving traces", async () => {
    const { child, url } = await start("--model", demoModel);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{43}$/);
    await ask(url, "image", await sampleImage("two-red-circles"));
    assert.match(readdirSync(folder.path).join(), /^clipscope-studio-\d+-\w+$/);
    child.kill("SIGINT");
    const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    assert.deepEqual([status, signal], [null, "SIGINT"]);
    assert.deepEqual(readdirSync(folder.path), []);
  });

  it("deletes the traces of a killed server at the next start", async () => {
    const { child, url } = await start("--model", demoModel);
    const broken = ask(url, "image", await sampleImage("two-red-circles"), {
      onLine: ({ progress }) => {
        if (progress !== undefined) child.kill("SIGKILL");
      },
    });
    await assert.rejects(broken);
    const left = readdirSync(folder.path);
    assert.equal(left.length, 1);
    await start("--model", demoModel);
    const [found, ...others] = readdirSync(folder.path);
    assert.deepEqual(others, []);
    assert.notEqual(found, left[0]);
  });

  it("serves models of other projects", async () => {
    const { url } = await start("--model", fixture("origins/chinese-clip"));
    const [opened] = await ask(url, "open", null);
    const info = opened!.result as ModelInfo;
    assert.match(info.backend, /^wasm/);
    const image = await ask(url, "image", await sampleImage("two-red-circles"));
    const taps = image.flatMap(({ update }) => (update as ImagePart | undefined)?.taps ?? []);
    assert.equal(taps.at(-1)!.name, "image_features");
    // The fixture has no tokenizer.
    const { error } = (await ask(url, "text", { text: "两个红色的圆" })).at(-1)!;
    assert.deepEqual([error!.isInput, /tokenizer/.test(error!.message)], [true, true]);
  });

  it("has no token where the network runs in the page", async () => {
    const { url } = await start();
    assert.doesNotMatch(url, /#/);
    assert.equal((await fetch(`${url}api/calls/open`, { method: "POST" })).status, 405);
    assert.deepEqual(await (await fetch(`${url}studio.json`)).json(), { server: null });
  });

  it("refuses a folder that is not a model, and a port that is not one", async () => {
    const { status, stderr } = await clipscope(["studio", "--model", folder.path, "--port", "0"]);
    assert.equal(status, 2);
    assert.match(stderr, /no open_clip_config\.json/);
    const port = await clipscope(["studio", "--port", "70000"]);
    assert.equal(port.status, 2);
    assert.match(port.stderr, /--port 70000: expected at most 65535/);
  });
});
