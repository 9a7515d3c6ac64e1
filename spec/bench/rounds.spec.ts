import assert from "node:assert/strict";
import { inTurn, type Runner } from "../../bench/rounds.ts";

type Reply = { readonly seconds: number; readonly run: number };

/** A runner that takes the given times and logs its name. */
function runner(name: string, times: readonly number[], log: string[]): Runner<Reply> {
  let run = 0;
  return {
    name,
    run: () => {
      log.push(name);
      return Promise.resolve({ seconds: times[run]!, run: run++ });
    },
  };
}

describe("measuring in turn", () => {
  it("runs each program once per round, and reports the fastest run and the median", async () => {
    const log: string[] = [];
    const [a, b] = await inTurn([runner("a", [3, 1, 2], log), runner("b", [5, 9, 4], log)], {
      repeats: 3,
      limit: 60,
      atLeast: 1,
    });
    assert.deepEqual(log, ["a", "b", "a", "b", "a", "b"]);
    assert.deepEqual(a, { seconds: 1, median: 2, runs: 3, reply: { seconds: 1, run: 1 } });
    assert.deepEqual(b, { seconds: 4, median: 5, runs: 3, reply: { seconds: 4, run: 2 } });
  });

  it("starts no round after the limit, except for the required ones", async () => {
    const log: string[] = [];
    const [even] = await inTurn([runner("a", [2, 1, 3], log)], { repeats: 3, limit: 0, atLeast: 2 });
    assert.deepEqual([even?.runs, even?.median], [2, 1.5]);
  });
});
