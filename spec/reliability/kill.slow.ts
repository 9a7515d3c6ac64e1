/**
 * Commands that are killed. Afterwards every file is old or new, and the next run gives what an undisturbed run gives.
 *
 * CLIPSCOPE_KILLS is the number of kills of each command. The default is for CI; use 200 after changes of lib/node/files.
 */
import assert from "node:assert/strict";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";
import type { ProcessFault } from "../support/faults/preload.ts";
import { snapshot } from "../support/faults/snapshot.ts";
import { randomFrom, type Trials } from "../support/faults/trial.ts";

const kills = Number(process.env["CLIPSCOPE_KILLS"] ?? 4);
const seed = Number(process.env["CLIPSCOPE_SEED"] ?? 1);

type Kill = { readonly fault: Omit<ProcessFault, "folder">; readonly random?: number };

/** Half of the kills at chosen calls, each before the call or in its middle; the others at random moments. */
function planKills(trials: Trials, random: () => number, duration: number): Kill[] {
  const points = trials.points.flatMap(({ at, hasHalf }) =>
    [false, ...(hasHalf ? [true] : [])].map((half) => ({ fault: { kill: { at, half } } })),
  );
  const chosen = points
    .map((kill) => ({ kill, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ kill }) => kill);
  const atCalls = chosen.slice(0, Math.ceil(0.6 * kills));
  const others = Array.from({ length: kills - atCalls.length }, () => ({
    fault: { kill: null },
    random: Math.floor(random() * duration),
  }));
  return [...atCalls, ...others];
}

describe("a killed command leaves old or new files, and its repetition gives the same bytes", function () {
  this.timeout(0);
  forEachScenario(async (trials) => {
    const random = randomFrom(seed);
    const begin = performance.now();
    await trials.inFolder((folder) => trials.run(folder));
    const duration = performance.now() - begin;
    const counts = { killed: 0, ended: 0 };
    for (const { fault, random: moment } of planKills(trials, random, duration)) {
      await trials.inFolder(async (folder) => {
        const describe = JSON.stringify({ ...fault, moment });
        const result = await trials.process(folder, fault, { random: moment });
        if (result.signal === "SIGKILL") counts.killed += 1;
        else counts.ended += 1;
        if (result.signal === null) assert.deepEqual([result.status, result.stderr], [0, ""], describe);
        assert.deepEqual(trials.broken(snapshot(folder)), [], describe);
        // Every third run is killed twice: the second process takes over the lock and the work of the first.
        if (counts.killed % 3 === 2) {
          const at = 1 + Math.floor(random() * trials.points.length);
          const second = await trials.process(folder, { kill: { at, half: random() < 0.5 } });
          if (second.signal === "SIGKILL") counts.killed += 1;
          assert.deepEqual(trials.broken(snapshot(folder)), [], `${describe}, then ${at}`);
        }
        assert.deepEqual(await trials.rerun(folder), [], `${describe}: after the next run`);
      });
    }
    console.log(
      `      ${trials.points.length} calls; ${counts.killed} kills, ${counts.ended} runs ended before theirs`,
    );
  });
});
