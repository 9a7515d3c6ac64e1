/** Clocks that jump, and files from the future: neither changes a result. */
import assert from "node:assert/strict";
import { readdirSync, lutimesSync } from "node:fs";
import { join } from "node:path";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";

const decade = 10 * 365 * 86_400;

describe("clocks do not matter", function () {
  this.timeout(0);
  forEachScenario(async (trials) => {
    await trials.inFolder(async (folder) => {
      const at = Math.ceil(trials.points.length / 2);
      const { signal } = await trials.process(folder, {
        kill: { at, half: true },
        clockJump: 1000 * decade,
      });
      assert.equal(signal, "SIGKILL");
      const future = Date.now() / 1000 + decade;
      for (const name of readdirSync(folder, { recursive: true }) as string[]) {
        lutimesSync(join(folder, name), future, future);
      }
      const { status, stderr } = await trials.process(folder, { kill: null, clockJump: 1000 * decade });
      assert.deepEqual([status, stderr], [0, ""]);
      assert.deepEqual(trials.wrong(folder), []);
    });
  });
});
