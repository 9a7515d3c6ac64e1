import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { packageRoot } from "./support/paths.ts";

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin: Readonly<Record<string, string>>;
}

describe("the npm package", () => {
  const manifest = JSON.parse(readFileSync(`${packageRoot}package.json`, "utf8")) as Manifest;
  let files: string[] = [];

  before(function () {
    this.timeout(60_000);
    const { status, stdout, stderr } = spawnSync("npm pack --dry-run --json --ignore-scripts", {
      cwd: packageRoot,
      encoding: "utf8",
      shell: true, // npm is a batch file on Windows
    });
    assert.equal(status, 0, stderr);
    files = (JSON.parse(stdout) as [{ files: { path: string }[] }])[0].files.map(({ path }) => path);
  });

  it("contains only what a user runs or reads", () => {
    const expected =
      /^(bin|dist\/lib|dist\/cli|dist\/studio|dist\/search-page|dist\/tools\/convert|dist\/tools\/native|tools\/native\/kernels|assets|fixtures\/demo-model)\/|^(package\.json|README\.md|LICENSE|NOTICE\.md|CHANGELOG\.md)$/;
    assert.deepEqual(
      files.filter((path) => !expected.test(path) || path.endsWith(".map")),
      [],
    );
  });

  it("contains every file that package.json names", () => {
    const named = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    for (const path of [...named, ...Object.values(manifest.bin)]) {
      assert.ok(files.includes(posix.normalize(path)), path);
    }
  });

  it("contains every module that its modules import", () => {
    const imports = /\b(?:from|import)\s*\(?\s*"(\.[^"]+)"|new URL\("(\.[^"]+\.js)", import\.meta\.url\)/g;
    for (const file of files.filter((path) => /\.(js|d\.ts)$/.test(path))) {
      for (const [, module, url] of readFileSync(`${packageRoot}${file}`, "utf8").matchAll(imports)) {
        // Declarations keep the sources' endings, which TypeScript resolves to the declarations beside them.
        const path = (module ?? url!).replace(/\.ts$/, ".d.ts");
        const target = posix.join(posix.dirname(file), path);
        assert.ok(files.includes(target), `${file} imports ${target}`);
      }
    }
  });
});
