import assert from "node:assert/strict";
import { owns, taskFromEnvironment } from "../../lib/retrieval/task.ts";

describe("taskFromEnvironment", () => {
  for (const [scheduler, environment, expected] of [
    [
      "Slurm with an offset",
      { SLURM_ARRAY_TASK_ID: "12", SLURM_ARRAY_TASK_MIN: "10", SLURM_ARRAY_TASK_MAX: "13" },
      { index: 2, of: 4 },
    ],
    [
      "Slurm in steps",
      {
        SLURM_ARRAY_TASK_ID: "9",
        SLURM_ARRAY_TASK_MIN: "1",
        SLURM_ARRAY_TASK_MAX: "13",
        SLURM_ARRAY_TASK_STEP: "4",
      },
      { index: 2, of: 4 },
    ],
    ["a Kubernetes Job", { JOB_COMPLETION_INDEX: "0", JOB_COMPLETIONS: "3" }, { index: 0, of: 3 }],
    ["AWS Batch", { AWS_BATCH_JOB_ARRAY_INDEX: "7", AWS_BATCH_JOB_ARRAY_SIZE: "8" }, { index: 7, of: 8 }],
    [
      "SGE, which counts from 1",
      { SGE_TASK_ID: "3", SGE_TASK_FIRST: "1", SGE_TASK_LAST: "5", SGE_TASK_STEPSIZE: "2" },
      { index: 1, of: 3 },
    ],
    [
      "a job of SGE that is no array, inside a Kubernetes Job",
      { SGE_TASK_ID: "undefined", JOB_COMPLETION_INDEX: "1", JOB_COMPLETIONS: "2" },
      { index: 1, of: 2 },
    ],
  ] as const) {
    it(`reads ${scheduler}`, () => {
      assert.deepEqual(taskFromEnvironment(environment), expected);
    });
  }

  it("takes the number of tasks from --of, where the scheduler does not tell it", () => {
    assert.deepEqual(taskFromEnvironment({ PBS_ARRAY_INDEX: "5" }, 8), { index: 5, of: 8 });
    assert.deepEqual(taskFromEnvironment({ PBS_ARRAY_INDEX: "5" }, 8, 1), { index: 4, of: 8 });
    assert.deepEqual(taskFromEnvironment({ SGE_TASK_ID: "8" }, 8), { index: 7, of: 8 });
  });

  for (const [what, environment, of, message] of [
    ["no scheduler", {}, undefined, /found none of SLURM_ARRAY_TASK_ID.*give --task I --of N/],
    ["an unknown number of tasks", { PBS_ARRAY_INDEX: "5" }, undefined, /PBS_ARRAY_INDEX is 5.*add --of N/],
    ["a task beyond --of", { PBS_ARRAY_INDEX: "8" }, 8, /expected a task from 0 to 7 of 8, found 8/],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => taskFromEnvironment(environment, of), { name: "InputError", message });
    });
  }

  it("the tasks own each partition once", () => {
    for (let partition = 0; partition < 20; partition++) {
      const owners = [0, 1, 2].filter((index) => owns({ index, of: 3 }, partition));
      assert.equal(owners.length, 1);
    }
  });
});
