import assert from "node:assert/strict";

import {
  type BackendInfo,
  type BackendLoader,
  parseBackendChoice,
  startBackend,
} from "../../lib/tensor/backend.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { cpuLoader, startNodeBackend } from "../../lib/node/backends/backends.ts";

function failing(name: BackendLoader["name"], reason: string): BackendLoader {
  return { name, load: () => Promise.reject(new InputError(reason)) };
}

/** The cpu backend, counting how often it is loaded. */
function counting(): BackendLoader & { loads: number } {
  const loader = {
    name: "cpu" as const,
    loads: 0,
    load(): Promise<BackendInfo> {
      loader.loads += 1;
      return cpuLoader.load();
    },
  };
  return loader;
}

describe("startBackend", () => {
  after("give the other specs their backend back", () => startNodeBackend());

  it("auto falls through to the first loader that works", async () => {
    const info = await startBackend("auto", [failing("tensorflow", "none built"), cpuLoader]);
    assert.equal(info.name, "cpu");
  });

  it("starts once, even for two calls at the same time", async () => {
    const loader = counting();
    const loaders = [loader];
    const [first, second] = await Promise.all([startBackend("auto", loaders), startBackend("auto", loaders)]);
    assert.equal(first, second);
    assert.equal(await startBackend("cpu", loaders), first);
    assert.equal(loader.loads, 1);
  });

  it("auto looks for the best backend again after another was chosen by name", async () => {
    const better = counting();
    await startBackend("cpu", [cpuLoader]);
    await startBackend("auto", [better, cpuLoader]);
    assert.equal(better.loads, 1);
  });

  it("a named backend that fails is not replaced by another", async () => {
    const loaders = [failing("tensorflow", "none built"), cpuLoader];
    await assert.rejects(startBackend("tensorflow", loaders), { name: "InputError", message: "none built" });
  });

  it("collects the reasons of loaders that share a name", async () => {
    const loaders = [failing("tensorflow", "none built"), failing("tensorflow", "not installed")];
    await assert.rejects(startBackend("tensorflow", loaders), {
      message: "the tensorflow backend cannot run here: none built",
      details: ["tensorflow: not installed"],
    });
  });

  it("says why no backend runs", async () => {
    await assert.rejects(startBackend("auto", [failing("wasm", "no WebAssembly"), failing("cpu", "no")]), {
      message: "no backend can run here; the first, wasm: no WebAssembly",
      details: ["cpu: no"],
    });
  });

  it("works again after a failure", async () => {
    await assert.rejects(startBackend("wasm", [failing("wasm", "no WebAssembly")]));
    assert.equal((await startBackend("cpu", [cpuLoader])).name, "cpu");
  });
});

describe("parseBackendChoice", () => {
  it("accepts auto, tensorflow, webgpu, wasm and cpu", () => {
    assert.deepEqual(
      ["auto", "tensorflow", "webgpu", "wasm", "cpu"].map((text) => parseBackendChoice(text)),
      ["auto", "tensorflow", "webgpu", "wasm", "cpu"],
    );
  });

  it("lists the choices for anything else", () => {
    assert.throws(() => parseBackendChoice("webgl"), {
      name: "InputError",
      message: 'unknown backend "webgl"; choose one of auto, tensorflow, webgpu, wasm, cpu',
    });
  });
});
