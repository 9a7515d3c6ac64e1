/** Inputs that once failed, made as small as possible by the fuzzer: fixtures/fuzz/TARGET/NAME. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Campaign, watchStrayErrors } from "../../../tools/fuzz/campaign.ts";
import { createTarget, targetNames } from "../../../tools/fuzz/targets.ts";
import { clearedHubVariables, environment } from "../../support/environment.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("inputs that the fuzzer found", () => {
  const folder = temporaryFolder();
  environment(() => clearedHubVariables);

  const folders = readdirSync(fixture("fuzz"), { withFileTypes: true });
  for (const name of folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name)) {
    it(`${name}: give a result or one clear line`, async () => {
      assert.ok(targetNames.includes(name), `no target ${name}`);
      const target = await createTarget(name, folder.path);
      const unwatch = watchStrayErrors();
      try {
        const campaign = new Campaign(name, target, {
          seed: 0,
          coverage: null,
          onInput: () => undefined,
          onFinding: () => undefined,
        });
        for (const file of readdirSync(fixture(`fuzz/${name}`))) {
          const input = new Uint8Array(readFileSync(fixture(`fuzz/${name}/${file}`)));
          const { isFailure, text, details } = await campaign.judge(input);
          assert.ok(!isFailure, `${file}: ${text}\n${details}`);
        }
      } finally {
        unwatch();
        await target.close?.();
      }
    });
  }
});
