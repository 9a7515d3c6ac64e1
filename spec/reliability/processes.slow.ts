/** Several processes with the same output: one works, others are refused, and the result is as of one process. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessResult } from "../support/cli.ts";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";
import { differences, snapshot } from "../support/faults/snapshot.ts";
import { randomFrom, type Trials } from "../support/faults/trial.ts";

/** How often each plan is carried out; 0 for a short run with two of them. */
const rounds = Number(process.env["CLIPSCOPE_ROUNDS"] ?? 0);
const random = randomFrom(Number(process.env["CLIPSCOPE_SEED"] ?? 1));

interface Plan {
  readonly processes: number;
  /** The most that a process starts later than the first one, in milliseconds. */
  readonly delay: number;
  /** Kill one of them at a random call. */
  readonly killsOne?: boolean;
}

const plans: readonly Plan[] = [
  { processes: 2, delay: 0 },
  { processes: 2, delay: 300 },
  { processes: 4, delay: 0 },
  { processes: 3, delay: 100, killsOne: true },
];

async function runPlan(trials: Trials, { processes, delay, killsOne = false }: Plan): Promise<number> {
  const { scenario, points } = trials;
  const { mostErrors = 1 } = scenario;
  return trials.inFolder(async (folder) => {
    const results = await Promise.all(
      Array.from({ length: processes }, async (_, i): Promise<ProcessResult> => {
        await sleep(i * delay * random());
        const kill =
          killsOne && i === 0 ? { at: 1 + Math.floor(random() * points.length), half: false } : null;
        return trials.process(folder, { kill });
      }),
    );
    let refused = 0;
    for (const { status, signal, stderr } of results) {
      if (signal === "SIGKILL" && killsOne) continue;
      assert.equal(signal, null);
      if (status === 0) continue;
      const isDone =
        scenario.name === "convert" && /^clipscope: [^\n]* already exists; [^\n]*\n$/.test(stderr);
      const refusal = "clipscope: [^\\n]*: in use by process \\d+; [^\\n]*\\n";
      if (!isDone) assert.match(stderr, new RegExp(`^(${refusal}){1,${mostErrors}}$`));
      assert.equal(status, 2);
      refused += 1;
    }
    // Of independent parts, each is done by one of them.
    if (!killsOne && mostErrors === 1) assert.ok(refused < processes, "one of them succeeds");
    if (scenario.sharesWork === true) assert.equal(refused, 0, "each waits for the others");
    assert.deepEqual(trials.broken(snapshot(folder)), []);
    if (!killsOne) assert.deepEqual(differences(snapshot(folder), trials.after), []);
    assert.deepEqual(await trials.rerun(folder), []);
    return refused;
  });
}

describe("of several processes with the same output, one works", function () {
  this.timeout(0);
  forEachScenario(async (trials) => {
    const counts: number[] = [];
    for (let round = 0; round < Math.max(1, rounds); round++) {
      for (const plan of rounds === 0 ? plans.slice(-2) : plans) counts.push(await runPlan(trials, plan));
    }
    console.log(`      refused: ${counts.join(", ")}`);
  });
});
