import assert from "node:assert/strict";
import { InputError } from "../../../lib/errors/input-error.ts";
import { Campaign, watchStrayErrors, type Finding } from "../../../tools/fuzz/campaign.ts";
import { judge, limits } from "../../../tools/fuzz/oracle.ts";
import type { Target } from "../../../tools/fuzz/target.ts";
import { createTarget } from "../../../tools/fuzz/targets.ts";

const seeds = [Buffer.from("abcdefgh")].map((bytes) => new Uint8Array(bytes));

interface Ran {
  readonly findings: readonly Finding[];
  readonly kept: number;
  readonly digest: string;
}

async function fuzz(target: Target, inputs: number, seed = 0): Promise<Ran> {
  const findings: Finding[] = [];
  const campaign = new Campaign("spec", target, {
    seed,
    coverage: null,
    onInput: () => undefined,
    onFinding: (finding) => findings.push(finding),
  });
  await campaign.runUntil(Infinity, inputs);
  return { findings, kept: campaign.kept, digest: campaign.digest };
}

function reader(read: (input: Uint8Array) => unknown): Target {
  return {
    seeds,
    mutations: [],
    run: async (input) => {
      await read(input);
      return `${Math.min(input.length, 20)} bytes`;
    },
  };
}

describe("a fuzzing campaign", () => {
  it("does the same twice with one seed, and something else with another", async () => {
    const target = await createTarget("safetensors", "");
    const first = await fuzz(target, 300);
    assert.equal((await fuzz(target, 300)).digest, first.digest);
    assert.notEqual((await fuzz(target, 300, 1)).digest, first.digest);
  });

  it("keeps inputs with new results", async () => {
    const { kept, findings } = await fuzz(
      reader(() => undefined),
      500,
    );
    assert.ok(kept > 5, `${kept} kept`);
    assert.deepEqual(findings, []);
  });

  it("reports an error that is not an InputError once, with the smallest input", async () => {
    const target = reader((input) => {
      if (input.includes(0xff)) throw new TypeError(`x is ${input.length}`);
    });
    const { findings } = await fuzz(target, 2000);
    assert.equal(findings.length, 1);
    assert.match(findings[0]!.text, /^TypeError: x is 0/);
    assert.deepEqual([...findings[0]!.input], [0xff]);
  });

  it("accepts a refusal, and reports one without a message", async () => {
    assert.deepEqual((await fuzz(refusal("file: not a file"), 50)).findings, []);
    assert.match((await fuzz(refusal(""), 1)).findings[0]?.text ?? "", /^an empty message/);
  });

  it("reports time and memory", async () => {
    const few = { ...limits, timeOfSmall: 50, memory: 10 * 1024 ** 2 };
    const busy = reader(() => {
      for (const start = process.cpuUsage().user; process.cpuUsage().user < start + 60_000;);
    });
    assert.match((await judge(busy, seeds[0]!, few)).text, /^too slow/);
    const large = reader(() => new Uint8Array(20 * 1024 ** 2));
    assert.match((await judge(large, seeds[0]!, few)).text, /^too much memory/);
  });

  it("reports rejections that nobody awaits", async () => {
    const unwatch = watchStrayErrors();
    const stray = reader(() => {
      void Promise.reject(new TypeError("lost"));
    });
    const { findings } = await fuzz(stray, 1);
    unwatch();
    assert.match(findings[0]?.text ?? "", /^outside the call: TypeError: lost/);
  });
});

function refusal(message: string): Target {
  return reader(() => {
    throw new InputError(message);
  });
}
