/** A Slurm cluster of one node on the loopback, by Debian's slurm-wlm, for a spec. It runs as root, without munge. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export class SlurmCluster {
  readonly #folder: string;
  readonly #daemons: ChildProcess[];

  private constructor(folder: string, daemons: ChildProcess[]) {
    this.#folder = folder;
    this.#daemons = daemons;
  }

  /** The environment of its commands. */
  get env(): Record<string, string> {
    return { SLURM_CONF: join(this.#folder, "slurm.conf") };
  }

  /** @throws an Error that says how to install Slurm */
  static async start(folder: string): Promise<SlurmCluster> {
    if (!existsSync("/usr/sbin/slurmctld") || process.geteuid?.() !== 0) {
      throw new Error(
        "expected root, and Debian's Slurm: apt-get install -y --no-install-recommends slurm-wlm",
      );
    }
    const [controller, node] = [await freePort(), await freePort()];
    for (const name of ["state", "spool"]) mkdirSync(join(folder, name), { recursive: true });
    const host = hostname();
    const cores = availableParallelism();
    const lines = [
      "ClusterName=spec",
      `SlurmctldHost=${host}(127.0.0.1)`,
      "SlurmUser=root",
      "SlurmdUser=root",
      "AuthType=auth/none",
      "CredType=cred/none",
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "JobAcctGatherType=jobacct_gather/none",
      "MpiDefault=none",
      "ReturnToService=2",
      "SelectType=select/cons_tres",
      "SelectTypeParameters=CR_CPU",
      "SchedulerParameters=sched_interval=1,batch_sched_delay=0,requeue_delay=0",
      // A requeued task waits for this long, in seconds.
      "MinJobAge=300",
      `SlurmctldPort=${controller}`,
      `SlurmdPort=${node}`,
      `StateSaveLocation=${folder}/state`,
      `SlurmdSpoolDir=${folder}/spool`,
      `SlurmctldPidFile=${folder}/slurmctld.pid`,
      `SlurmdPidFile=${folder}/slurmd.pid`,
      `SlurmctldLogFile=${folder}/slurmctld.log`,
      `SlurmdLogFile=${folder}/slurmd.log`,
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=${cores} State=UNKNOWN`,
      `PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
      "",
    ];
    const config = join(folder, "slurm.conf");
    writeFileSync(config, lines.join("\n"));
    // Slurm 22 loads one of its plugins for control groups, though none is used; v2 needs a real systemd.
    writeFileSync(join(folder, "cgroup.conf"), "CgroupPlugin=cgroup/v1\n");
    const env = { ...process.env, SLURM_CONF: config };
    const cluster = new SlurmCluster(
      folder,
      ["slurmctld", "slurmd"].map((name) => spawn(`/usr/sbin/${name}`, ["-D"], { env, stdio: "ignore" })),
    );
    try {
      await cluster.#until(() => cluster.run("sinfo", "-h", "-o", "%t").includes("idle"), 30_000);
      return cluster;
    } catch (error) {
      const log = ["slurmctld.log", "slurmd.log"].map((name) => cluster.#read(name)).join("\n");
      await cluster.stop();
      throw new Error(`Slurm did not start:\n${log}`, { cause: error });
    }
  }

  /** A command of Slurm; empty while the controller does not answer. */
  run(command: string, ...args: string[]): string {
    try {
      return execFileSync(command, args, {
        env: { ...process.env, ...this.env },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch {
      return "";
    }
  }

  /** Lets a task start that waits for its time. */
  async startNow(job: string): Promise<void> {
    await this.#until(() => /JobState=PENDING/.test(this.run("scontrol", "show", "job", job)), 30_000);
    this.run("scontrol", "update", `JobId=${job}`, "StartTime=now");
  }

  /** Waits until a job has no task left in the queue. */
  async ended(job: string): Promise<void> {
    await this.#until(() => {
      const queue = this.run("squeue", "-h", "-j", job, "-o", "%T");
      return !/PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUED/.test(queue);
    }, 180_000);
  }

  /** Waits for a condition. @throws an Error if it does not come true in time, in ms */
  async #until(isTrue: () => boolean, most: number): Promise<void> {
    for (const start = Date.now(); !isTrue();) {
      if (Date.now() - start > most) throw new Error(`waited for ${most} ms`);
      await setTimeout(200);
    }
  }

  #read(name: string): string {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, "utf8").slice(-2000) : "";
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      daemon.kill("SIGTERM");
      await once(daemon, "exit");
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
