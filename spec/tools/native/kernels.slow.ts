/** The kernels for packed weights and of the scan stay within their arrays: guard pages, AddressSanitizer and UBSan. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileKernels, kernelSources } from "../../../tools/native/kernels.ts";
import { packageRoot } from "../../support/paths.ts";

describe("the kernels for packed weights and of the scan", function () {
  this.timeout(240_000);
  const compiler = process.env["CXX"] ?? "c++";
  const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

  function compile(...args: string[]): Promise<void> {
    const flags = ["-std=c++17", "-g1", ...sanitizers, ...args];
    const { status, stderr } = spawnSync(compiler, flags, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return Promise.resolve();
  }

  let folder = "";
  let program = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "clipscope-"));
    program = join(folder, "bounds");
    const objects = await compileKernels({ compiler, compile, folder });
    const source = `${packageRoot}spec/tools/native/bounds.cc`;
    await compile("-O1", "-pthread", "-I", kernelSources, source, ...objects, "-o", program);
  });

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const instructions of ["amx", "avx512bf16", "avx512vnni", "avx512", "avx2", "baseline"]) {
    it(`stay within their arrays with ${instructions}, or the processor's best instruction set`, () => {
      const env = { ...process.env, CLIPSCOPE_INSTRUCTIONS: instructions };
      const { status, stdout, stderr } = spawnSync(program, [], { env, encoding: "utf8" });
      assert.equal(status, 0, `${stdout}${stderr}`);
      console.log(`      ran ${stdout.trim()}`);
    });
  }
});
