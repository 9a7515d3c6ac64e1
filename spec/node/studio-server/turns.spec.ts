import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { Turns } from "../../../lib/node/studio-server/turns.ts";

/** Work that ends when it is told to. */
function job(): { readonly done: Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const done = new Promise<void>((resolve) => (end = resolve));
  return { done, end };
}

const { signal } = new AbortController();

function noWait(): void {
  assert.fail("waited");
}

describe("Turns", () => {
  it("runs work one at a time, in order, and tells the waiters their place", async () => {
    const turns = new Turns();
    const jobs = [job(), job(), job()];
    const events: string[] = [];
    const all = jobs.map(({ done }, i) =>
      turns.run(
        () => {
          events.push(`start ${i}`);
          return done;
        },
        signal,
        (place) => events.push(`${i} at ${place}`),
      ),
    );
    assert.deepEqual(events, ["start 0", "1 at 1", "2 at 2"]);
    jobs[0]!.end();
    await all[0];
    await setImmediate();
    assert.deepEqual(events.slice(3), ["1 at 0", "2 at 1", "start 1"]);
    jobs[1]!.end();
    jobs[2]!.end();
    await Promise.all(all);
    assert.deepEqual(events.slice(6), ["2 at 0", "start 2"]);
  });

  it("lets go of work that is given up, and moves the others up", async () => {
    const turns = new Turns();
    const first = job();
    const leaving = new AbortController();
    const places: number[] = [];
    const running = turns.run(() => first.done, signal, noWait);
    const second = turns.run(
      () => assert.fail("begun"),
      leaving.signal,
      () => undefined,
    );
    const third = turns.run(
      () => Promise.resolve("third"),
      signal,
      (place) => places.push(place),
    );
    leaving.abort(new Error("gone"));
    await assert.rejects(second, /gone/);
    assert.deepEqual(places, [2, 1]);
    first.end();
    await running;
    assert.equal(await third, "third");
    await assert.rejects(
      turns.run(() => assert.fail("begun"), leaving.signal, noWait),
      /gone/,
    );
  });

  it("never runs two at once, whatever fails or is given up", async () => {
    const steps = fc.array(
      fc.record({ ticks: fc.nat(3), fails: fc.boolean(), leavesAfter: fc.option(fc.nat(6)) }),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const turns = new Turns();
        let running = 0;
        let finished = 0;
        const calls = plan.map(async ({ ticks, fails, leavesAfter }) => {
          const controller = new AbortController();
          const work = async (): Promise<void> => {
            running++;
            assert.equal(running, 1);
            for (let i = 0; i < ticks; i++) await setImmediate();
            running--;
            if (fails) throw new Error("failed");
          };
          const call = turns.run(work, controller.signal, () => undefined).catch(() => undefined);
          if (leavesAfter !== null) {
            for (let i = 0; i < leavesAfter; i++) await setImmediate();
            controller.abort();
          }
          await call;
          finished++;
        });
        await Promise.all(calls);
        assert.equal(finished, plan.length);
        assert.equal(await turns.run(() => Promise.resolve(1), signal, noWait), 1);
      }),
      { numRuns: 60 },
    );
  });
});
