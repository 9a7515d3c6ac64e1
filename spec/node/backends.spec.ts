import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import * as tf from "@tensorflow/tfjs-core";

import {
  cpuLoader,
  nativeLoader,
  nodeBackends,
  startNodeBackend,
  wasmLoader,
} from "../../lib/node/backends.ts";
import { startBackend } from "../../lib/tensor/backend.ts";
import { packageRoot } from "../support/paths.ts";

/** Runs an ES module in a Node of its own, with the backends module as `backends`. */
function inChild(
  script: string,
  env: NodeJS.ProcessEnv = {},
): { status: number | null; stdout: string; stderr: string } {
  const backends = pathToFileURL(join(packageRoot, "dist/lib/node/backends.js")).href;
  const source = `import * as tf from "@tensorflow/tfjs-core";\nimport * as backends from "${backends}";\n${script}`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    cwd: packageRoot,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
}

/** [[1, 2], [3, 4]] squared. */
function square(): number[] {
  return tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    return [...tf.matMul(x, x).dataSync()];
  });
}

describe("Node's backends", () => {
  after("give the other specs their backend back", () => startNodeBackend());

  it("come in the order tensorflow, wasm, cpu", () => {
    assert.deepEqual([...new Set(nodeBackends.map(({ name }) => name))], ["tensorflow", "wasm", "cpu"]);
  });

  for (const [loader, description] of [
    [wasmLoader, /^wasm with SIMD, 1 thread$/],
    [cpuLoader, /^cpu, plain JavaScript, 1 thread$/],
  ] as const) {
    it(`${loader.name} starts and multiplies`, async () => {
      const info = await startBackend(loader.name, [loader]);
      assert.match(info.description, description);
      assert.equal(tf.getBackend(), loader.name);
      assert.deepEqual(square(), [7, 10, 15, 22]);
    });
  }

  it("no backend prints a greeting or a warning", () => {
    const script = `
      for (const loader of [backends.cpuLoader, backends.wasmLoader, backends.cpuLoader]) {
        await loader.load();
        tf.tensor1d([1, 2]).dataSync();
      }`;
    const { stdout, stderr, status } = inChild(script);
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: "" });
  });

  it("wasm's handlers of uncaught errors are taken off, others' stay", () => {
    const script = `
      const events = ["uncaughtException", "unhandledRejection"];
      const counts = () => events.map((event) => process.listenerCount(event));
      process.on("uncaughtException", () => {});
      const loading = backends.wasmLoader.load();
      process.on("unhandledRejection", () => {});
      await loading;
      console.log(JSON.stringify(counts()));`;
    assert.equal(inChild(script).stdout, "[1,1]\n");
  });

  it("an uncaught error on wasm ends as Node's errors end", () => {
    const { status, stderr } = inChild(`await backends.wasmLoader.load();\nthrow new Error("on purpose");`);
    assert.equal(status, 1);
    assert.match(stderr, /Error: on purpose/);
    assert.ok(stderr.length < 2000, `a short report, not the minified source: ${stderr.length} characters`);
  });

  it("a missing native build says how to make one", async () => {
    const empty = mkdtempSync(join(tmpdir(), "clipscope-"));
    try {
      await assert.rejects(startBackend("tensorflow", [nativeLoader(empty)]), {
        name: "InputError",
        message: `there is no native TensorFlow build in ${empty}; make one with "clipscope native", or use --backend wasm`,
      });
    } finally {
      rmSync(empty, { recursive: true });
    }
  });

  it("CLIPSCOPE_BACKEND presets auto, not a choice", () => {
    const script = `
      const chosen = [];
      for (const choice of [undefined, "auto", "wasm"]) chosen.push((await backends.startNodeBackend(choice)).name);
      console.log(chosen.join());`;
    assert.equal(inChild(script, { CLIPSCOPE_BACKEND: "cpu" }).stdout, "cpu,cpu,wasm\n");
  });

  it("an unknown CLIPSCOPE_BACKEND is refused with the choices", async () => {
    const before = process.env["CLIPSCOPE_BACKEND"];
    process.env["CLIPSCOPE_BACKEND"] = "cuda";
    try {
      await assert.rejects(startNodeBackend(), {
        name: "InputError",
        message: 'CLIPSCOPE_BACKEND: unknown backend "cuda"; choose one of auto, tensorflow, wasm, cpu',
      });
    } finally {
      if (before === undefined) delete process.env["CLIPSCOPE_BACKEND"];
      else process.env["CLIPSCOPE_BACKEND"] = before;
    }
  });
});
