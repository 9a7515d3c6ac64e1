import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

import { buildFolderName, nativeBuilds, platformTag } from "../../../lib/node/native/native-build.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import {
  buildNative,
  type BuildRequest,
  refusePlatform,
  removeNative,
  type Steps,
} from "../../../tools/native/build.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** Steps that write a file each and say that they were taken. */
function fakeSteps(taken: string[], tensorflow = "2.21.0"): Steps {
  return {
    fetchLibrary: (_source, { site, work }) => {
      taken.push("fetch");
      mkdirSync(site);
      return Promise.resolve({ site, main: "m", framework: "f", include: work, label: "a fake" });
    },
    compileBinding: () => {
      taken.push("compile");
      return Promise.resolve();
    },
    checkBuild: () => {
      taken.push("check");
      return Promise.resolve({ tensorflow, onGpu: false, relativeL2: 1e-7, gflops: 100, wasmGflops: 10 });
    },
  };
}

describe("buildNative", function () {
  if (process.platform === "win32") return;
  const cache = temporaryFolder();
  const request = (changes: Partial<BuildRequest> = {}): BuildRequest => ({
    source: { kind: "auto", python: "python3", version: "2.21.0" },
    gpu: false,
    force: false,
    cache: cache.path,
    ...changes,
  });

  it("builds once; the second time nothing is done", async () => {
    const taken: string[] = [];
    const first = await buildNative(request(), fakeSteps(taken));
    assert.equal(first.build.folder, cache.file(buildFolderName("2.21.0", false)));
    assert.deepEqual(first.build.manifest.source, "a fake");
    assert.ok(first.checked);
    const second = await buildNative(request(), fakeSteps(taken));
    assert.deepEqual(second, { build: first.build, checked: undefined });
    assert.deepEqual(taken, ["fetch", "compile", "check"]);
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", false)]);
  });

  it("builds again when forced, for another source, and for a GPU; one build stays", async () => {
    const taken: string[] = [];
    await buildNative(request(), fakeSteps(taken));
    await buildNative(request({ force: true }), fakeSteps(taken));
    await buildNative(request({ source: { kind: "folder", path: "elsewhere" } }), fakeSteps(taken, "2.9.1"));
    await buildNative(request({ gpu: true }), fakeSteps(taken));
    assert.equal(taken.length, 12);
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", true)]);
  });

  it("a step that fails leaves nothing, and the older build stays", async () => {
    await buildNative(request(), fakeSteps([]));
    const failing: Steps = {
      ...fakeSteps([]),
      checkBuild: () => Promise.reject(new InputError("it counts wrong")),
    };
    await assert.rejects(buildNative(request({ force: true }), failing), { message: "it counts wrong" });
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", false)]);
  });

  it("a full disk and a folder that cannot be written are told as such", async () => {
    for (const [code, message] of [
      ["ENOSPC", /^no space left for .*CLIPSCOPE_CACHE/],
      ["EACCES", /cannot be written; set CLIPSCOPE_CACHE/],
    ] as const) {
      const error = Object.assign(new Error(code), { code });
      const failing: Steps = { ...fakeSteps([]), fetchLibrary: () => Promise.reject(error) };
      await assert.rejects(buildNative(request(), failing), { name: "InputError", message });
    }
  });

  it("what a killed build left is no build, and goes", async () => {
    mkdirSync(cache.file(`building-${platformTag}-abc`, "build"), { recursive: true });
    writeFileSync(cache.file(`lock-${platformTag}`), `999999999 ${hostname()}\n`);
    assert.deepEqual(nativeBuilds(cache.path), []);
    await buildNative(request(), fakeSteps([]));
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", false)]);
  });

  it("two do not build at once", async () => {
    const lock = cache.file(`lock-${platformTag}`);
    writeFileSync(lock, `${process.pid} ${hostname()}\n`);
    await assert.rejects(buildNative(request(), fakeSteps([])), {
      name: "InputError",
      message: `another process (${process.pid} ${hostname()}) is building; wait for it, or delete ${lock} if it is no more`,
    });
    assert.ok(existsSync(lock));
  });

  it("--remove undoes it, and says so when there is nothing", async () => {
    const { build } = await buildNative(request(), fakeSteps([]));
    assert.deepEqual(await removeNative(cache.path), [build.folder]);
    assert.deepEqual(readdirSync(cache.path), []);
    assert.deepEqual(await removeNative(cache.path), []);
    assert.deepEqual(await removeNative(cache.file("absent")), []);
  });
});

describe("refusePlatform", () => {
  it("lets Linux and macOS pass, and says what runs elsewhere", () => {
    refusePlatform("linux");
    refusePlatform("darwin");
    assert.throws(() => {
      refusePlatform("win32");
    }, /^InputError: a native build is not supported on Windows; --backend wasm runs there, or Linux under WSL$/);
  });
});
