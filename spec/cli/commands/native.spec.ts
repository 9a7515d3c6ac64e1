import assert from "node:assert/strict";
import { clipscopeProcess, type ProcessResult } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope native", () => {
  const cache = temporaryFolder();

  const native = (...args: string[]): Promise<ProcessResult> =>
    clipscopeProcess(["native", ...args], { env: { CLIPSCOPE_CACHE: cache.path, CLIPSCOPE_THREADS: "2" } });

  it("--remove without a build", async () => {
    assert.equal((await native("--remove")).stdout, `nothing to remove in ${cache.path}\n`);
    assert.equal((await native("--remove", "--json")).stdout, '{"removed":[]}\n');
  });

  it("refuses two sources", async () => {
    const { status, stderr } = await native("--wheel", "a.whl", "--from", "b");
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^clipscope: expected only one source, from --wheel, --from, --archive or --tensorflow\n$/,
    );
  });
});
