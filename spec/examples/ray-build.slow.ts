import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { clipscopeProcess } from "../support/cli.ts";
import { contentOf, imageFolder } from "../support/index-folder.ts";
import { packageRoot } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";

const hasRay = spawnSync("python3", ["-c", "import ray"]).status === 0;

describe("examples/ray_build.py", () => {
  const folder = temporaryFolder();

  it(`builds the bytes of a sequential run${hasRay ? "" : " (not run: Ray is not installed)"}`, async () => {
    if (!hasRay) {
      console.log("SKIPPED: examples/ray_build.py: python3 has no package ray (pip install ray)");
      return;
    }
    const photos = imageFolder(folder.file("photos"));
    const [out, whole] = [folder.file("index"), folder.file("whole")];
    const plan = (to: string): string[] => ["index", "plan", photos, "--out", to, "--partition-rows", "2"];
    for (const to of [out, whole]) assert.equal((await clipscopeProcess(plan(to))).status, 0);
    const clipscope = [process.execPath, `${packageRoot}bin/clipscope.js`];
    const args = [`${packageRoot}examples/ray_build.py`, out, "--tasks", "3", "--clipscope", ...clipscope];
    execFileSync("python3", args, { stdio: "pipe" });
    assert.equal((await clipscopeProcess(["index", "build", "--out", whole])).status, 0);
    assert.deepEqual(contentOf(out), contentOf(whole));
  });
});
