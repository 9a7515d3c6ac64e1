import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { slurmScript } from "../../lib/retrieval/slurm-script.ts";

describe("slurmScript", () => {
  const script = (command: readonly string[], retries = 2): string =>
    slurmScript({
      folder: "/data/my index",
      command,
      args: [],
      tasks: 8,
      atOnce: 3,
      sbatch: ["--time=1"],
      retries,
    });

  it("names the array and the options of sbatch", () => {
    const lines = script(["clipscope"]).split("\n");
    assert.ok(lines.includes("#SBATCH --array=0-7%3"));
    assert.ok(lines.includes("#SBATCH --time=1"));
    assert.ok(lines.includes("  clipscope index build --out '/data/my index' --task auto"));
  });

  for (const [status, runs] of [
    [0, 1],
    [2, 1],
    [75, 3],
  ] as const) {
    it(`runs a task that ends with ${status} ${runs} times`, () => {
      const text = script(["sh", "-c", `echo run; exit ${status}`]).replace(/sleep .*/, "true");
      const { stdout, status: ended } = spawnSync("bash", ["-c", text], { encoding: "utf8" });
      assert.deepEqual([stdout, ended], ["run\n".repeat(runs), status]);
    });
  }
});
