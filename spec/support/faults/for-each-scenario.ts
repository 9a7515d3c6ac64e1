/** Defines a spec for each command that writes files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HubServer } from "../hub-server.ts";
import { makeScenarios, scenarioNames, type Scenario } from "./scenarios.ts";
import { Trials } from "./trial.ts";

/** Defines `title(NAME)` for each command. @param only which ones */
export function forEachScenario(
  work: (trials: Trials) => Promise<void>,
  only: (name: string) => boolean = () => true,
): void {
  let folder: string;
  let hub: HubServer;
  let scenarios: readonly Scenario[];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "clipscope-"));
    hub = await HubServer.start();
    scenarios = await makeScenarios(join(folder, "inputs"), hub);
  });
  after(async () => {
    await hub.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const name of scenarioNames.filter(only)) {
    it(name, async () => {
      const scenario = scenarios.find((one) => one.name === name);
      if (scenario === undefined) throw new Error(`no scenario ${name}`);
      await work(await Trials.create(scenario, folder));
    });
  }
}
