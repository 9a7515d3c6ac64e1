/**
 * Tasks of a job: which partitions each of them owns. A scheduler tells a task its number by an environment variable.
 *
 * Sources: slurm.schedmd.com/job_array.html; kubernetes.io/docs/concepts/workloads/controllers/job (completion index);
 * docs.aws.amazon.com/batch/latest/userguide/array_jobs.html; man 1 qsub of SGE and of OpenPBS.
 */
import { InputError } from "../errors/input-error.ts";

/** A task and the number of all tasks: it owns the partitions p with p mod `of` = `index`. */
export interface Task {
  readonly index: number;
  readonly of: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Scheduler {
  /** The variable of the task's number. */
  readonly index: string;
  readonly task: (environment: Environment) => Task | null;
}

const whole = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;

/** Numbers from `min` to `max` in steps, as Slurm and SGE have them. */
function stepped(
  index: number | null,
  min: number | null,
  max: number | null,
  step: number | null,
): Task | null {
  if (index === null || min === null || max === null) return null;
  const by = step === null || step === 0 ? 1 : step;
  return { index: Math.floor((index - min) / by), of: Math.floor((max - min) / by) + 1 };
}

const schedulers: readonly Scheduler[] = [
  {
    index: "SLURM_ARRAY_TASK_ID",
    task: (of) => {
      const read = (name: string): number | null => whole(of[`SLURM_ARRAY_TASK_${name}`]);
      return stepped(read("ID"), read("MIN"), read("MAX"), read("STEP"));
    },
  },
  {
    index: "JOB_COMPLETION_INDEX",
    task: (of) => counted(whole(of["JOB_COMPLETION_INDEX"]), whole(of["JOB_COMPLETIONS"])),
  },
  {
    index: "AWS_BATCH_JOB_ARRAY_INDEX",
    task: (of) => counted(whole(of["AWS_BATCH_JOB_ARRAY_INDEX"]), whole(of["AWS_BATCH_JOB_ARRAY_SIZE"])),
  },
  {
    index: "SGE_TASK_ID",
    task: (of) =>
      stepped(
        whole(of["SGE_TASK_ID"]),
        whole(of["SGE_TASK_FIRST"]),
        whole(of["SGE_TASK_LAST"]),
        whole(of["SGE_TASK_STEPSIZE"]),
      ),
  },
  {
    index: "PBS_ARRAY_INDEX",
    task: (of) => counted(whole(of["PBS_ARRAY_INDEX"]), whole(of["PBS_ARRAY_COUNT"])),
  },
];

function counted(index: number | null, of: number | null): Task | null {
  return index === null || of === null ? null : { index, of };
}

/**
 * The task that the environment names.
 *
 * @param of the number of tasks, where the scheduler does not tell it, or tells a number that does not count the tasks
 *   (an array with gaps)
 * @param from the number of the first task, with `of`. Default: 0, for SGE 1
 * @throws InputError if no scheduler, or not enough, is in the environment
 */
export function taskFromEnvironment(environment: Environment, of?: number, from?: number): Task {
  // SGE sets its variable to "undefined" in jobs that are no arrays.
  const scheduler = schedulers.find(({ index }) => whole(environment[index]) !== null);
  if (scheduler === undefined) {
    throw new InputError(
      `--task auto: expected the variable of an array job, found none of ${schedulers.map(({ index }) => index).join(", ")}; give --task I --of N`,
    );
  }
  const number = whole(environment[scheduler.index])!;
  if (of !== undefined) {
    const first = from ?? (scheduler.index === "SGE_TASK_ID" ? 1 : 0);
    return checkedTask({ index: number - first, of }, `--task auto: ${scheduler.index}=${number}`);
  }
  const task = scheduler.task(environment);
  if (task !== null) return checkedTask(task, `--task auto: ${scheduler.index}=${number}`);
  throw new InputError(
    `--task auto: ${scheduler.index} is ${number}, but the number of tasks is not in the environment; add --of N`,
  );
}

/** @throws InputError unless 0 ≤ index < of */
export function checkedTask({ index, of }: Task, where: string): Task {
  if (Number.isSafeInteger(of) && of >= 1 && Number.isSafeInteger(index) && index >= 0 && index < of)
    return { index, of };
  throw new InputError(`${where}: expected a task from 0 to ${of - 1} of ${of}, found ${index}`);
}

/** Whether a task owns a partition. */
export function owns({ index, of }: Task, partition: number): boolean {
  return partition % of === index;
}
