/**
 * Power failures, simulated: what was not synced is lost. At every moment files are old or new, and when a command says
 * that it is done, its files are safe.
 */
import assert from "node:assert/strict";
import { rmSync, mkdirSync } from "node:fs";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";
import { PowerFailure, restore, type Names } from "../support/faults/power-failure.ts";
import { differences, type Snapshot } from "../support/faults/snapshot.ts";

/** After how many of the failures the command is repeated. */
const repetitions = Number(process.env["CLIPSCOPE_FAILURES"] ?? 3);

describe("a power failure leaves old or new files, and new ones after the command has ended", function () {
  this.timeout(0);
  forEachScenario(async (trials) => {
    const states = new Map<string, { readonly describe: string; readonly state: Snapshot }>();
    let last: Snapshot = new Map();
    await trials.inFolder(async (folder) => {
      const disk = new PowerFailure(folder);
      let at = 0;
      const record = (call: Parameters<PowerFailure["record"]>[0]): void => {
        disk.record(call);
        at += 1;
        for (const names of ["synced", "changed"] as Names[]) {
          const state = disk.state(names);
          const describe = `${names} names after call ${at}, ${call.name} ${call.paths.at(-1)!.slice(folder.length)}`;
          assert.deepEqual(trials.broken(state), [], describe);
          states.set(JSON.stringify([...state]), { describe, state });
        }
      };
      const { status } = await trials.disturbed(folder, (call) => {
        const result = call.proceed();
        if (call.isSync) {
          record(call);
          return result;
        }
        return (result as Promise<unknown>).then((value) => {
          record(call);
          return value;
        });
      });
      assert.equal(status, 0);
      last = disk.state("synced");
    });
    const lost = differences(last, trials.after).filter((line) => !/: .* instead of nothing$/.test(line));
    assert.deepEqual(lost, [], "when the command has ended");
    const distinct = [...states.values()];
    const step = Math.max(1, Math.floor(distinct.length / repetitions));
    for (let i = distinct.length - 1; i >= 0; i -= step) {
      const { describe, state } = distinct[i]!;
      await trials.inFolder(async (folder) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
        restore(state, folder);
        assert.deepEqual(await trials.rerun(folder), [], describe);
      });
    }
    console.log(`      ${distinct.length} states of the disk`);
  });
});
