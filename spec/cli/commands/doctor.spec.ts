import assert from "node:assert/strict";
import { clipscopeProcess, type ProcessResult } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Doctor {
  readonly auto: string;
  readonly sharp: { readonly formats: readonly string[] } | null;
  readonly native: { readonly cache: string; readonly builds: readonly unknown[] };
  readonly backends: readonly {
    readonly backend: string;
    readonly runs: boolean;
    readonly description: string;
  }[];
}

describe("clipscope doctor", () => {
  const cache = temporaryFolder();

  const doctor = (...args: string[]): Promise<ProcessResult> =>
    clipscopeProcess(["doctor", ...args], { env: { CLIPSCOPE_CACHE: cache.path, CLIPSCOPE_THREADS: "2" } });

  it("--json prints one document with every backend", async () => {
    const { stdout, stderr } = await doctor("--json");
    assert.equal(stderr, "");
    const report = JSON.parse(stdout) as Doctor;
    assert.deepEqual(report.native, { cache: cache.path, builds: [] });
    assert.deepEqual(report.sharp?.formats, ["jpeg", "webp"]);
    const wasm = report.backends.find(({ backend }) => backend === "wasm");
    assert.deepEqual([wasm?.runs, wasm?.description], [true, "wasm with SIMD, 2 threads"]);
  });

  it("says how to get missing backends, and what auto chooses", async () => {
    const { stdout } = await doctor();
    assert.match(stdout, /^✗ tensorflow, native build: .*make one with "clipscope native"/m);
    assert.match(stdout, /^✓ wasm with SIMD, 2 threads; /m);
    assert.match(stdout, /^images +sharp \S+ decodes jpeg and webp where there are many images$/m);
    assert.match(stdout, /^--backend auto chooses: /m);
  });
});
