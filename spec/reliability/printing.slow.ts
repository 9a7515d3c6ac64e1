/** The reader of a pipe may leave at the first line (`| head -1`), which ends the process: files are complete by then. */
import assert from "node:assert/strict";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";
import { differences, snapshot } from "../support/faults/snapshot.ts";

describe("a command prints when its files are complete", function () {
  this.timeout(0);
  forEachScenario(async (trials) => {
    await trials.inFolder(async (folder) => {
      let prints = 0;
      const { status, stderr } = await trials.run(folder, {
        onPrint: () => {
          prints += 1;
          const found = snapshot(folder);
          const outputs = new Map([...found].filter(([path]) => trials.after.has(path)));
          assert.deepEqual(differences(outputs, trials.after), []);
        },
      });
      assert.deepEqual([status, stderr], [0, ""]);
      assert.ok(prints > 0, "prints something");
    });
  });
});
