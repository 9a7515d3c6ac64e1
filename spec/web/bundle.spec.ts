/** The sizes of the built page, compressed as servers send it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { fixture, packageRoot } from "../support/paths.ts";

const built = `${packageRoot}dist/studio/`;

function gzipped(path: string): number {
  return gzipSync(readFileSync(path), { level: 9 }).length;
}

describe("the studio's files", () => {
  const html = readFileSync(`${built}index.html`, "utf8");
  const assets = readdirSync(`${built}assets`);
  const size = (pattern: RegExp): number => {
    const names = assets.filter((name) => pattern.test(name));
    assert.equal(names.length, 1, `${pattern}: ${names.join(", ")}`);
    return gzipped(`${built}assets/${names[0]!}`);
  };

  /** A script with the scripts that it cannot start without. */
  const withImports = (pattern: RegExp): number => {
    const needed = new Set(assets.filter((name) => pattern.test(name)));
    assert.equal(needed.size, 1);
    for (const name of needed) {
      const code = readFileSync(`${built}assets/${name}`, "utf8");
      for (const [, imported = ""] of code.matchAll(/(?:from|import)"\.\/([\w.-]+\.js)"/g))
        needed.add(imported);
    }
    return [...needed].reduce((sum, name) => sum + gzipped(`${built}assets/${name}`), 0);
  };

  it("have the sizes of their budgets", () => {
    const shell = size(/^index-.*\.js$/);
    const css = size(/^index-.*\.css$/);
    const worker = withImports(/^worker-.*\.js$/);
    const webgpu = withImports(/^webgpu-backend-.*\.js$/);
    const wasm = size(/simd-.*\.wasm$/);
    const model = [
      "open_clip_model.safetensors",
      "tokenizer.json",
      "open_clip_config.json",
      "text/config.json",
    ]
      .map((name) => gzipped(fixture(`demo-model/${name}`)))
      .reduce((sum, bytes) => sum + bytes, 0);
    const toLive = shell + css + worker + wasm + model + gzipped(`${built}first-pass.json`);
    console.log(
      `      shell ${shell}, styles ${css}, worker ${worker}, with webgpu ${webgpu}, wasm ${wasm}, model ${model}, to live ${toLive} bytes`,
    );
    assert.ok(
      shell <= 45_000 && css <= 12_000 && worker <= 220_000,
      "shell 45 kB, styles 12 kB, worker 220 kB",
    );
    assert.ok(toLive <= 2_200_000, "2.2 MB until the network is live");
  });

  it("load from any folder, without other hosts, inline scripts or eval", () => {
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = ""]) => address);
    assert.ok(addresses.length >= 3);
    for (const address of addresses) assert.match(address, /^(\.\/)?[\w-]/);
    assert.doesNotMatch(html, /<script(?![^>]*src)/);
    assert.doesNotMatch(html, /'unsafe-/);
    for (const name of assets.filter((asset) => asset.endsWith(".js"))) {
      const code = readFileSync(`${built}assets/${name}`, "utf8");
      assert.doesNotMatch(code, /\bnew Function\b|[^.\w]eval\(/, name);
    }
  });

  it("keep tfjs in the worker", () => {
    for (const name of assets.filter(
      (asset) => /\.js$/.test(asset) && !/^(worker|decode|dist|webgpu-backend)-/.test(asset),
    )) {
      assert.doesNotMatch(
        readFileSync(`${built}assets/${name}`, "utf8"),
        /registerKernel|KernelBackend/,
        name,
      );
    }
  });
});
