import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

import { packageRoot } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";

interface Doctor {
  readonly auto: string;
  readonly native: { readonly cache: string; readonly builds: readonly unknown[] };
  readonly backends: readonly {
    readonly backend: string;
    readonly runs: boolean;
    readonly description: string;
  }[];
}

describe("doctor and native", () => {
  const cache = temporaryFolder();

  /** Runs a command in a Node of its own, with an empty cache folder. */
  function command(...args: string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync(process.execPath, ["bin/clipscope.js", ...args], {
      cwd: packageRoot,
      env: { ...process.env, CLIPSCOPE_CACHE: cache.path, CLIPSCOPE_THREADS: "2" },
      encoding: "utf8",
    });
  }

  it("doctor --json: one document, with every backend", () => {
    const { stdout, stderr } = command("doctor", "--json");
    assert.equal(stderr, "");
    const report = JSON.parse(stdout) as Doctor;
    assert.deepEqual(report.native, { cache: cache.path, builds: [] });
    const wasm = report.backends.find(({ backend }) => backend === "wasm");
    assert.deepEqual([wasm?.runs, wasm?.description], [true, "wasm with SIMD, 2 threads"]);
  });

  it("doctor says how to get what is missing, and what auto takes", () => {
    const { stdout } = command("doctor");
    assert.match(stdout, /^✗ tensorflow, native build: .*make one with "clipscope native"/m);
    assert.match(stdout, /^✓ wasm with SIMD, 2 threads; /m);
    assert.match(stdout, /^--backend auto takes: /m);
  });

  it("native --remove with nothing there", () => {
    assert.equal(command("native", "--remove").stdout, `nothing to remove in ${cache.path}\n`);
    assert.equal(command("native", "--remove", "--json").stdout, '{"removed":[]}\n');
  });

  it("native refuses two sources", () => {
    const { status, stderr } = command("native", "--wheel", "a.whl", "--from", "b");
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^clipscope: --wheel, --from, --archive and --tensorflow each name a source; give one.*\n$/,
    );
  });
});
