import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";

import { takeLock } from "../../../lib/node/files/lock.ts";
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

/** Steps that write a file each and record their names. */
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

  it("builds once, and does nothing the second time", async () => {
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

  it("builds again with force, for another source, and for a GPU, and keeps one build", async () => {
    const taken: string[] = [];
    await buildNative(request(), fakeSteps(taken));
    await buildNative(request({ force: true }), fakeSteps(taken));
    await buildNative(request({ source: { kind: "folder", path: "elsewhere" } }), fakeSteps(taken, "2.9.1"));
    await buildNative(request({ gpu: true }), fakeSteps(taken));
    assert.equal(taken.length, 12);
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", true)]);
  });

  it("leaves nothing after a failed step, and keeps the older build", async () => {
    await buildNative(request(), fakeSteps([]));
    const failing: Steps = {
      ...fakeSteps([]),
      checkBuild: () => Promise.reject(new InputError("it counts wrong")),
    };
    await assert.rejects(buildNative(request({ force: true }), failing), { message: "it counts wrong" });
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", false)]);
  });

  it("reports a full disk and a folder that is not writable", async () => {
    for (const [code, message] of [
      ["ENOSPC", /: no space left on the disk; .*CLIPSCOPE_CACHE/],
      ["EACCES", /is not writable; set CLIPSCOPE_CACHE/],
    ] as const) {
      const error = Object.assign(new Error(code), { code });
      const failing: Steps = { ...fakeSteps([]), fetchLibrary: () => Promise.reject(error) };
      await assert.rejects(buildNative(request(), failing), { name: "InputError", message });
    }
  });

  it("removes what a killed build left", async () => {
    mkdirSync(cache.file(`building-${platformTag}-abc`, "build"), { recursive: true });
    assert.deepEqual(nativeBuilds(cache.path), []);
    await buildNative(request(), fakeSteps([]));
    assert.deepEqual(readdirSync(cache.path), [buildFolderName("2.21.0", false)]);
  });

  it("refuses to build while another process builds", async () => {
    const lock = await takeLock(cache.file(`lock-${platformTag}`));
    assert.ok("release" in lock);
    await assert.rejects(buildNative(request(), fakeSteps([])), {
      name: "InputError",
      message: "this process is building; wait until it ends",
    });
    await lock.release();
    await buildNative(request(), fakeSteps([]));
  });

  it("--remove removes the build, and reports if there is none", async () => {
    const { build } = await buildNative(request(), fakeSteps([]));
    assert.deepEqual(await removeNative(cache.path), [build.folder]);
    assert.deepEqual(readdirSync(cache.path), []);
    assert.deepEqual(await removeNative(cache.path), []);
    assert.deepEqual(await removeNative(cache.file("absent")), []);
  });
});

describe("refusePlatform", () => {
  it("accepts Linux and macOS, and suggests a backend elsewhere", () => {
    refusePlatform("linux");
    refusePlatform("darwin");
    assert.throws(() => {
      refusePlatform("win32");
    }, /^InputError: a native build is not supported on Windows; use --backend wasm, or Linux under WSL$/);
  });
});
