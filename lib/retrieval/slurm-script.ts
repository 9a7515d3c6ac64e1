/** The job array that builds an index on Slurm. Source: slurm.schedmd.com/sbatch.html, job_array.html */

export interface SlurmOptions {
  /** Absolute. */
  readonly folder: string;
  /** The command line that runs clipscope, without its arguments. */
  readonly command: readonly string[];
  /** Arguments of `index build` besides the folder and the task. */
  readonly args: readonly string[];
  readonly tasks: number;
  /** Tasks that run at the same time, at most. */
  readonly atOnce?: number;
  /** Lines of `#SBATCH` besides those of the array: "--gres=gpu:1". */
  readonly sbatch: readonly string[];
  /** How often a task is run again that ends with 75. */
  readonly retries: number;
}

/**
 * The script for `sbatch`. A task that ends with 75 (try again) waits and runs again; a node that fails gives the task
 * back to the queue.
 */
export function slurmScript(options: SlurmOptions): string {
  const { folder, command, args, tasks, atOnce, sbatch, retries } = options;
  const array = `0-${tasks - 1}${atOnce === undefined ? "" : `%${atOnce}`}`;
  const run = [...command, "index", "build", "--out", folder, "--task", "auto", ...args].map(quote).join(" ");
  return [
    "#!/bin/bash",
    "#SBATCH --job-name=clipscope-index",
    `#SBATCH --array=${array}`,
    "#SBATCH --requeue",
    `#SBATCH --output=${folder}/logs/%A_%a.log`,
    "#SBATCH --open-mode=append",
    ...sbatch.map((line) => `#SBATCH ${line}`),
    "",
    `for attempt in $(seq 0 ${retries}); do`,
    `  ${run}`,
    "  status=$?",
    '  if [ "$status" -ne 75 ]; then exit "$status"; fi',
    "  sleep $((10 * (attempt + 1)))",
    "done",
    "exit 75",
    "",
  ].join("\n");
}

/** For a POSIX shell. */
function quote(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
