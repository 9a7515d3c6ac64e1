/** Memory of `clipscope merge` with two models of the published size. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFullSizeModel } from "../../../bench/full-size-model.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { peakMemory, reportingPeak } from "../../support/peak-memory.ts";

const arch = "xlm-roberta-large-ViT-H-14";
/** Both models, the result, and a margin. */
const neededBytes = 14e9;
const maxMemory = 500e6;

const { bavail, bsize } = statfsSync(tmpdir());
const free = bavail * bsize;

describe("two models of the published size", function () {
  this.timeout(20 * 60_000);

  if (free < neededBytes) {
    // Not a pending spec, which would fail the run. Scripts look for the word SKIPPED.
    console.log(
      `SKIPPED: merging needs ${neededBytes / 1e9} GB in ${tmpdir()}, which has ${(free / 1e9).toFixed(1)} GB`,
    );
    return;
  }

  it(`are merged within ${maxMemory / 1e6} MB of memory`, async () => {
    const parent = mkdtempSync(join(tmpdir(), "clipscope-merge-"));
    try {
      // Rounded to half precision, nearly every number differs.
      const base = await writeFullSizeModel({ arch, dtype: "F16", parent });
      const tuned = await writeFullSizeModel({ arch, dtype: "F32", parent });
      const start = performance.now();
      const { status, stdout, stderr } = await clipscopeProcess(
        ["merge", base, tuned, "--out", join(parent, "merged"), "--json"],
        { nodeArgs: reportingPeak },
      );
      const seconds = (performance.now() - start) / 1000;
      assert.equal(status, 0, stderr);
      const peak = peakMemory(stderr);
      console.log(`      merged in ${seconds.toFixed(1)} s, peak memory ${(peak / 1e6).toFixed(0)} MB`);
      const { changed } = JSON.parse(stdout) as { changed: number };
      assert.ok(changed > 500, `${changed} tensors differ`);
      assert.ok(peak < maxMemory, `peak memory ${peak}`);
    } finally {
      rmSync(parent, { recursive: true, force: true });
    }
  });
});
