import { assertContinues } from "../../support/finetune-run.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("finetune", () => {
  const folder = temporaryFolder();

  for (const kind of ["blocks", "FLYP"]) {
    it(`continues a run that was stopped in its third epoch, bit for bit: ${kind}`, () =>
      assertContinues(folder.file("runs"), kind));
  }
});
