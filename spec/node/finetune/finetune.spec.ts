import { assertContinues } from "../../support/finetune-run.ts";
import { temporaryFolder } from "../../support/temporary.ts";

// finetune.slow.ts: the other kinds of runs.
describe("finetune", () => {
  const folder = temporaryFolder();

  it("continues a run that was stopped in its third epoch, bit for bit: adapters with dropout", () =>
    assertContinues(folder.file("runs"), "adapters with dropout"));
});
