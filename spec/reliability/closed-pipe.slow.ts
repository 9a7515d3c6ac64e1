/** The reader of a pipe may leave at once (`| head -1`). The files are complete all the same. */
import assert from "node:assert/strict";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";
import { differences, snapshot } from "../support/faults/snapshot.ts";

describe("a command whose output nobody reads completes its files", function () {
  this.timeout(0);
  forEachScenario(async (trials) => {
    await trials.inFolder(async (folder) => {
      const { status, signal, stderr } = await trials.process(folder, { kill: null }, { closesOutput: true });
      assert.deepEqual([status, signal, stderr], [0, null, ""]);
      assert.deepEqual(differences(snapshot(folder), trials.after), []);
    });
  });
});
