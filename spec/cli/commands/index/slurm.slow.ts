/** The job array runs for real: Debian's Slurm on the loopback, one task killed, one run twice. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { clipscopeProcess } from "../../../support/cli.ts";
import { contentOf, imageShard } from "../../../support/index-folder.ts";
import { SlurmCluster } from "../../../support/slurm.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

describe("clipscope index slurm", () => {
  const folder = temporaryFolder();

  it("builds the bytes of a sequential run, though a task is killed and another one runs twice", async () => {
    const shards = folder.file("shards");
    mkdirSync(shards);
    for (let i = 0; i < 4; i++) imageShard(join(shards, `0000${i}.tar`), 200 * i, 200);
    const cluster = await SlurmCluster.start(folder.file("slurm"));
    try {
      const out = folder.file("index");
      const plan = ["index", "plan", shards, "--out", out, "--partition-rows", "200", "--captions"];
      assert.equal((await clipscopeProcess(plan)).status, 0);
      const submitted = await clipscopeProcess(
        ["index", "slurm", out, "--submit", "--json", "--at-once", "2"],
        { env: cluster.env },
      );
      assert.equal(submitted.status, 0, submitted.stderr);
      const { job, tasks } = JSON.parse(submitted.stdout) as { job: string; tasks: number };
      assert.equal(tasks, 4);
      // Killed in the middle of its partition, as by a node that fails; Slurm gives it back to the queue.
      await working(out);
      const victim = runningTask(cluster, job);
      const killed = cluster.run("scontrol", "requeue", victim);
      assert.equal(killed, "");
      // Slurm holds it back for two minutes, because the node may need them.
      await cluster.startNow(victim);
      await cluster.ended(job);
      assert.match(cluster.run("scontrol", "show", "job", victim), /Restarts=1/);
      // The same task once more, when its partition is committed.
      const again = await clipscopeProcess(["index", "build", "--out", out, "--task", "0", "--of", "4"]);
      assert.match(again.stdout, /0 partitions built, 0 rows, 1 built before/);

      const whole = folder.file("whole");
      const args = ["index", "build", shards, "--out", whole, "--partition-rows", "200", "--captions"];
      assert.equal((await clipscopeProcess(args)).status, 0);
      const logs = readdirSync(join(out, "logs")).map((name) =>
        readFileSync(join(out, "logs", name), "utf8"),
      );
      assert.deepEqual(contentOf(out), contentOf(whole), logs.join("\n"));
      assert.equal([...contentOf(out).keys()].filter((path) => path.startsWith("stats/")).length, 4);
    } finally {
      await cluster.stop();
    }
  });
});

/** Waits until some task writes its first partition. */
async function working(out: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const path = join(out, "img_emb");
    if (existsSync(path) && readdirSync(path).some((name) => name.includes(".tmp-"))) return;
    await setTimeout(50);
  }
  throw new Error("no task writes vectors");
}

/** The id of a task that runs, as scontrol takes it. */
function runningTask(cluster: SlurmCluster, job: string): string {
  const [task] = cluster.run("squeue", "-h", "-j", job, "-t", "RUNNING", "-o", "%A").trim().split("\n");
  assert.ok(task, "a task runs");
  return task;
}
