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
} from "../../../lib/node/backends/backends.ts";
import { startBackend } from "../../../lib/tensor/backend.ts";
import { packageRoot } from "../../support/paths.ts";

/** Runs an ES module in a child process, with the backends module as `backends`. */
function inChild(
  script: string,
  env: NodeJS.ProcessEnv = {},
  nodeArgs: readonly string[] = [],
): { status: number | null; stdout: string; stderr: string } {
  const backends = pathToFileURL(join(packageRoot, "dist/lib/node/backends/backends.js")).href;
  const source = `import * as tf from "@tensorflow/tfjs-core";\nimport * as backends from "${backends}";\n${script}`;
  return spawnSync(process.execPath, [...nodeArgs, "--input-type=module", "-e", source], {
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

describe("backends under Node", () => {
  after("restore the backend of the other specs", () => startNodeBackend());

  it("come in the order tensorflow, webgpu, wasm, cpu", () => {
    const names = [...new Set(nodeBackends.map(({ name }) => name))];
    assert.deepEqual(names, ["tensorflow", "webgpu", "wasm", "cpu"]);
  });

  it("webgpu is not chosen by auto", () => {
    const script = `
      Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter: () => process.exit(1) } } });
      console.log((await backends.startNodeBackend()).name);`;
    const { stdout } = inChild(script, { CLIPSCOPE_CACHE: "/nowhere", CLIPSCOPE_BACKEND: "" });
    assert.equal(stdout, "wasm\n");
  });

  it("webgpu without a GPU says so", () => {
    const script = `
      Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter: () => Promise.resolve(null) } } });
      await backends.startNodeBackend("webgpu").catch(({ name, message }) => console.log(name, message));`;
    const message = "webgpu: no GPU adapter found; install the GPU's driver, or choose the backend wasm";
    assert.equal(inChild(script).stdout, `InputError ${message}\n`);
  });

  for (const [loader, description] of [
    [wasmLoader, /^wasm with SIMD, \d threads?$/],
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

  /** Loads wasm, and compares a product that is large enough for several threads with float64. */
  const product = `
    const { description } = await backends.wasmLoader.load();
    const [a, b] = [7, 11].map((factor) => Float32Array.from({ length: 512 * 512 }, (_, i) => ((i * factor) % 13) / 13));
    const c = tf.matMul(tf.tensor2d(a, [512, 512]), tf.tensor2d(b, [512, 512])).dataSync();
    let largest = 0;
    for (const [i, value] of c.entries()) {
      let sum = 0;
      for (let k = 0; k < 512; k++) sum += a[Math.floor(i / 512) * 512 + k] * b[k * 512 + (i % 512)];
      largest = Math.max(largest, Math.abs(value - sum) / sum);
    }
    console.log(JSON.stringify({ description, exact: largest < 1e-5 }));`;

  for (const [threads, description] of [
    ["1", "wasm with SIMD, 1 thread"],
    ["3", "wasm with SIMD, 3 threads"],
    ["99", "wasm with SIMD, 8 threads"],
  ] as const) {
    it(`CLIPSCOPE_THREADS=${threads}: ${description}, and the process ends`, () => {
      const { status, stdout, stderr } = inChild(product, { CLIPSCOPE_THREADS: threads });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
      assert.deepEqual(JSON.parse(stdout), { description, exact: true });
    });
  }

  it("wasm runs on one thread if Node refuses more, and says why", () => {
    const flag = process.allowedNodeEnvironmentFlags.has("--permission")
      ? "--permission"
      : "--experimental-permission";
    const nodeArgs = [flag, "--allow-fs-read=*", "--no-warnings"];
    const { status, stdout, stderr } = inChild(product, { CLIPSCOPE_THREADS: "2" }, nodeArgs);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    const { description, exact } = JSON.parse(stdout) as { description: string; exact: boolean };
    assert.match(
      description,
      /^wasm with SIMD, 1 thread \(threads are not available: Access to this API has been restricted/,
    );
    assert.equal(exact, true);
  });

  it("an active wasm backend stays, with its tensors", () => {
    const script = `
      await import("@tensorflow/tfjs-backend-wasm");
      await tf.setBackend("wasm");
      const kept = tf.ones([300, 300]);
      ${product}
      console.log(kept.dataSync()[0]);`;
    const [first = "", second] = inChild(script, { CLIPSCOPE_THREADS: "2" }).stdout.split("\n");
    assert.deepEqual(JSON.parse(first), { description: "wasm with SIMD, 1 thread", exact: true });
    assert.equal(second, "1");
  });

  it("threads do not change the global Worker", () => {
    const script = `
      const before = globalThis.Worker;
      await backends.wasmLoader.load();
      console.log(globalThis.Worker === before);`;
    assert.equal(inChild(script, { CLIPSCOPE_THREADS: "2" }).stdout, "true\n");
  });

  it("an invalid CLIPSCOPE_THREADS is rejected for every backend", () => {
    const script = `
      for (const choice of ["auto", "tensorflow", "wasm", "cpu"]) {
        await backends.startNodeBackend(choice).catch(({ name, message }) => console.log(name, message));
      }`;
    const { stdout } = inChild(script, { CLIPSCOPE_THREADS: "all", CLIPSCOPE_BACKEND: "" });
    const line =
      'InputError CLIPSCOPE_THREADS: expected a whole number above 0, found "all"; leave it unset for one thread per core\n';
    assert.equal(stdout, line.repeat(4));
  });

  it("wasm's handlers of uncaught errors are removed, others stay", () => {
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

  it("an uncaught error on wasm is reported as usual", () => {
    const { status, stderr } = inChild(`await backends.wasmLoader.load();\nthrow new Error("expected");`);
    assert.equal(status, 1);
    assert.match(stderr, /Error: expected/);
    assert.ok(stderr.length < 2000, `a short report, not the minified source: ${stderr.length} characters`);
  });

  for (const threads of ["1", "2"]) {
    it(`an unhandled rejection on wasm is reported as usual, with CLIPSCOPE_THREADS=${threads}`, () => {
      const script = `await backends.wasmLoader.load();\nvoid Promise.reject(new Error("expected"));`;
      const { status, stderr } = inChild(script, { CLIPSCOPE_THREADS: threads });
      assert.equal(status, 1);
      assert.match(stderr, /Error: expected/);
      assert.ok(stderr.length < 2000, `a short report, not the minified source: ${stderr.length} characters`);
    });
  }

  it("the error for a missing native build tells how to make one", async () => {
    const empty = mkdtempSync(join(tmpdir(), "clipscope-"));
    try {
      await assert.rejects(startBackend("tensorflow", [nativeLoader(empty)]), {
        name: "InputError",
        message: `no native TensorFlow build in ${empty}; make one with "clipscope native", or choose the backend wasm`,
      });
    } finally {
      rmSync(empty, { recursive: true });
    }
  });

  it("CLIPSCOPE_BACKEND applies to auto, not to an explicit choice", () => {
    const script = `
      const chosen = [];
      for (const choice of [undefined, "auto", "wasm"]) chosen.push((await backends.startNodeBackend(choice)).name);
      console.log(chosen.join());`;
    assert.equal(inChild(script, { CLIPSCOPE_BACKEND: "cpu" }).stdout, "cpu,cpu,wasm\n");
  });

  it("an unknown CLIPSCOPE_BACKEND is rejected with the choices", async () => {
    const before = process.env["CLIPSCOPE_BACKEND"];
    process.env["CLIPSCOPE_BACKEND"] = "cuda";
    try {
      await assert.rejects(startNodeBackend(), {
        name: "InputError",
        message:
          'CLIPSCOPE_BACKEND: unknown backend "cuda"; choose one of auto, tensorflow, webgpu, wasm, cpu',
      });
    } finally {
      if (before === undefined) delete process.env["CLIPSCOPE_BACKEND"];
      else process.env["CLIPSCOPE_BACKEND"] = before;
    }
  });
});
