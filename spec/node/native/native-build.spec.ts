import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  buildFolderName,
  cacheFolder,
  nativeBuildFormat,
  nativeBuilds,
  platformTag,
} from "../../../lib/node/native/native-build.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("cacheFolder", () => {
  const home = join("/", "home", "ada");

  it("is CLIPSCOPE_CACHE if that is set", () => {
    assert.equal(cacheFolder({ CLIPSCOPE_CACHE: "/big", XDG_CACHE_HOME: "/x" }, "linux", home), "/big");
  });

  it("follows the platform's conventions", () => {
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/x" }, "linux", home), join("/x", "clipscope"));
    assert.equal(cacheFolder({}, "linux", home), join(home, ".cache", "clipscope"));
    assert.equal(cacheFolder({}, "darwin", home), join(home, "Library", "Caches", "clipscope"));
    assert.equal(cacheFolder({ LOCALAPPDATA: "/local" }, "win32", home), join("/local", "clipscope"));
    assert.equal(cacheFolder({}, "win32", home), join(home, "AppData", "Local", "clipscope"));
  });

  it("treats empty variables as unset, and requires a folder", () => {
    assert.equal(
      cacheFolder({ CLIPSCOPE_CACHE: "", XDG_CACHE_HOME: "" }, "linux", home),
      join(home, ".cache/clipscope"),
    );
    assert.throws(() => cacheFolder({}, "linux", ""), { name: "InputError", message: /CLIPSCOPE_CACHE/ });
  });
});

describe("nativeBuilds", () => {
  const cache = temporaryFolder();

  function put(folder: string, manifest: object | string): void {
    mkdirSync(cache.file(folder));
    writeFileSync(
      cache.file(folder, "build.json"),
      typeof manifest === "string" ? manifest : JSON.stringify(manifest),
    );
  }

  const manifest = {
    format: nativeBuildFormat,
    tensorflow: "2.9.1",
    tfjsNode: "4.22.0",
    gpu: false,
    source: "x",
  };

  it("finds GPU builds first, then newer ones", () => {
    put(buildFolderName("2.9.1", false), manifest);
    put(buildFolderName("2.21.0", false), { ...manifest, tensorflow: "2.21.0" });
    put(buildFolderName("2.18.0", true), { ...manifest, tensorflow: "2.18.0", gpu: true });
    const found = nativeBuilds(cache.path).map((build) => build.manifest.tensorflow);
    assert.deepEqual(found, ["2.18.0", "2.21.0", "2.9.1"]);
  });

  it("ignores everything else", () => {
    mkdirSync(cache.file(buildFolderName("2.1.0", false)));
    put(buildFolderName("2.2.0", false), "{ broken");
    put(buildFolderName("2.3.0", false), { ...manifest, format: nativeBuildFormat + 1 });
    put("native-2.4.0-napi8-plan9-mips", manifest);
    put(`building-${platformTag}-abc`, manifest);
    assert.deepEqual(nativeBuilds(cache.path), []);
    assert.deepEqual(nativeBuilds(cache.file("absent")), []);
  });
});
