/** A description of the machine, for result files. */
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

export interface Machine {
  readonly processor: string;
  /** Cores that this process may use. */
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  /** The one-minute load average before the first measurement. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    memory: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    load: loadavg()[0]!,
  };
}

export function machineLine({ processor, cores, memory, node, load }: Machine): string {
  const gigabytes = (memory / 1e9).toFixed(0);
  return `${processor}, ${cores} cores, ${gigabytes} GB, Node ${node}, load ${load.toFixed(1)}`;
}
