import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { InputError } from "../../lib/errors/input-error.ts";
import { BatchQueue, QueueFullError } from "../../lib/tasks/batch-queue.ts";

/** A clock that the spec moves. */
class Clock {
  now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  readonly after = (milliseconds: number, callback: () => void): (() => void) => {
    const timer = { at: this.now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  advance(milliseconds: number): void {
    this.now += milliseconds;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.now) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

/** Passes that end when the spec says so. An item's result is its double; negative items are bad input. */
class Passes {
  readonly batches: (readonly number[])[] = [];
  #end: (() => void) | undefined;

  get isRunning(): boolean {
    return this.#end !== undefined;
  }

  readonly run = (items: readonly number[]): Promise<readonly number[]> => {
    assert.ok(!this.isRunning, "two passes at a time");
    this.batches.push(items);
    return new Promise((resolve, reject) => {
      this.#end = () => {
        this.#end = undefined;
        const bad = items.find((item) => item < 0);
        if (bad === undefined) resolve(items.map((item) => 2 * item));
        else reject(new InputError(`item ${bad} is bad`));
      };
    });
  };

  async end(): Promise<void> {
    this.#end?.();
    await turn();
  }
}

const limits = { batchSize: 4, delay: 10, mostWaiting: 12 };

function start(): { clock: Clock; passes: Passes; queue: BatchQueue<number, number> } {
  const clock = new Clock();
  const passes = new Passes();
  return { clock, passes, queue: new BatchQueue({ ...limits, run: passes.run, after: clock.after }) };
}

describe("BatchQueue", () => {
  it("joins calls within the delay, and gives each its own results", async () => {
    const { clock, passes, queue } = start();
    const calls = [queue.submit([1]), queue.submit([2, 3])];
    clock.advance(9);
    assert.deepEqual(passes.batches, []);
    clock.advance(1);
    assert.deepEqual(passes.batches, [[1, 2, 3]]);
    await passes.end();
    assert.deepEqual(await Promise.all(calls), [[2], [4, 6]]);
  });

  it("starts at once when a batch is full, and without delay after a pass", async () => {
    const { passes, queue } = start();
    const calls = [queue.submit([1, 2, 3]), queue.submit([4, 5]), queue.submit([6])];
    assert.deepEqual(passes.batches, [[1, 2, 3, 4]]);
    await passes.end();
    assert.deepEqual(passes.batches.slice(1), [[5, 6]]);
    await passes.end();
    assert.deepEqual(await Promise.all(calls), [[2, 4, 6], [8, 10], [12]]);
  });

  it("refuses calls beyond its length", async () => {
    const { queue } = start();
    const waiting = [queue.submit([1, 2, 3, 4]), queue.submit(Array<number>(12).fill(5))];
    await assert.rejects(queue.submit([6]), (error: unknown) => {
      assert.ok(error instanceof QueueFullError);
      assert.match(error.message, /at most 12 waiting items, found 12 and 1 more/);
      return true;
    });
    void Promise.allSettled(waiting);
    await queue.submit([]);
  });

  it("gives the error of bad input to its caller alone, and any other error to all", async () => {
    const { clock, passes, queue } = start();
    const calls = Promise.allSettled([queue.submit([1]), queue.submit([-2]), queue.submit([3])]);
    clock.advance(10);
    for (let pass = 0; pass < 4; pass++) await passes.end();
    assert.deepEqual(
      (await calls).map((call) =>
        call.status === "fulfilled" ? call.value : (call.reason as Error).message,
      ),
      [[2], "item -2 is bad", [6]],
    );
    const full = new BatchQueue<number, number>({
      ...limits,
      delay: 0,
      run: () => Promise.reject(new Error("gone")),
    });
    const lost = await Promise.allSettled([full.submit([1]), full.submit([2])]);
    assert.deepEqual(
      lost.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    const short = new BatchQueue<number, number>({ ...limits, delay: 0, run: () => Promise.resolve([]) });
    await assert.rejects(short.submit([1]), /a pass of 1 items gave 0 results/);
  });

  it("takes an aborted call out of the queue", async () => {
    const { clock, passes, queue } = start();
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = Promise.allSettled([
      queue.submit([1], first.signal),
      queue.submit([2]),
      queue.submit([3], second.signal),
    ]);
    first.abort(new Error("left"));
    assert.equal(queue.waiting, 2);
    clock.advance(10);
    second.abort(new Error("left during the pass"));
    await passes.end();
    assert.deepEqual(passes.batches, [[2, 3]]);
    assert.deepEqual(
      (await calls).map((call) =>
        call.status === "fulfilled" ? call.value : (call.reason as Error).message,
      ),
      ["left", [4], "left during the pass"],
    );
    await assert.rejects(queue.submit([4], AbortSignal.abort(new Error("before"))), /before/);
    assert.equal(queue.waiting, 0);
  });

  it("does not run an aborted call again when its pass fails", async () => {
    const { clock, passes, queue } = start();
    const controller = new AbortController();
    const calls = Promise.allSettled([queue.submit([1], controller.signal), queue.submit([-2])]);
    clock.advance(10);
    controller.abort();
    for (let pass = 0; pass < 3; pass++) await passes.end();
    await calls;
    assert.deepEqual(passes.batches, [[1, -2], [-2]]);
  });

  it("rejects what waits when it is closed, and lets the running pass end", async () => {
    const { passes, queue } = start();
    const calls = Promise.allSettled([queue.submit([1, 2, 3, 4]), queue.submit([5])]);
    const closed = queue.close();
    await passes.end();
    await closed;
    assert.deepEqual(
      (await calls).map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    await assert.rejects(queue.submit([1]), /closed/);
  });

  it("keeps its promises for any sequence of calls, aborts, times and passes", async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("submit" as const),
        bad: fc.boolean(),
        count: fc.integer({ min: 1, max: 6 }),
      }),
      fc.record({ kind: fc.constant("abort" as const), call: fc.nat(20) }),
      fc.record({ kind: fc.constant("wait" as const), time: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant("end" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { clock, passes, queue } = start();
        const calls: { items: number[]; controller: AbortController; outcome: Promise<unknown> }[] = [];
        let idleSince = 0;
        let next = 1;
        for (const now of steps) {
          if (now.kind === "submit") {
            const items = Array.from({ length: now.count }, () => next++);
            if (now.bad) items[0] = -items[0]!;
            const controller = new AbortController();
            const outcome = queue.submit(items, controller.signal).catch((error: unknown) => error);
            calls.push({ items, controller, outcome });
          } else if (now.kind === "abort") calls[now.call]?.controller.abort("aborted");
          else if (now.kind === "wait") clock.advance(now.time);
          else await passes.end();
          await turn();
          assert.ok(queue.waiting >= 0 && queue.waiting <= limits.mostWaiting);
          if (passes.isRunning || queue.waiting === 0) idleSince = clock.now;
          assert.ok(clock.now - idleSince <= limits.delay, "items wait, and no pass starts");
        }
        for (let i = 0; i < 200 && (passes.isRunning || queue.waiting > 0); i++) {
          clock.advance(limits.delay);
          await passes.end();
        }
        assert.equal(queue.waiting, 0);
        for (const { items, controller, outcome } of calls) {
          const result = await outcome;
          const isBad = items[0]! < 0;
          if (Array.isArray(result))
            assert.deepEqual([isBad, result], [false, items.map((item) => 2 * item)]);
          else if (result === "aborted") assert.ok(controller.signal.aborted);
          else if (!(result instanceof QueueFullError)) {
            assert.deepEqual([isBad, (result as Error).message], [true, `item ${items[0]} is bad`]);
          }
        }
        assert.ok(passes.batches.every((batch) => batch.length >= 1 && batch.length <= limits.batchSize));
        const taken = passes.batches.flat().map(Math.abs);
        const firsts = taken.filter((item, i) => taken.indexOf(item) === i);
        assert.deepEqual(
          firsts,
          firsts.toSorted((a, b) => a - b),
          "oldest items first",
        );
      }),
      { numRuns: 150 },
    );
  });
});
