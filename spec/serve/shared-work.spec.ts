import assert from "node:assert/strict";
import { SharedWork } from "../../lib/serve/shared-work.ts";

describe("SharedWork", () => {
  /** Work that ends when it is told to. */
  function work() {
    const started: {
      signal: AbortSignal;
      resolve: (value: string) => void;
      reject: (error: Error) => void;
    }[] = [];
    const start = (signal: AbortSignal): Promise<string> =>
      new Promise((resolve, reject) => started.push({ signal, resolve, reject }));
    return { started, start };
  }

  it("does the same thing once for callers at the same time, and again afterwards", async () => {
    const { started, start } = work();
    const shared = new SharedWork<string>();
    const both = [shared.run("a", start), shared.run("a", start)];
    const other = shared.run("b", start);
    assert.equal(started.length, 2);
    started[0]!.resolve("A");
    started[1]!.resolve("B");
    assert.deepEqual(await Promise.all([...both, other]), ["A", "A", "B"]);
    const again = shared.run("a", start);
    started[2]!.resolve("A2");
    assert.equal(await again, "A2");
  });

  it("is aborted when the last caller gives up, and not before", async () => {
    const { started, start } = work();
    const shared = new SharedWork<string>();
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [shared.run("a", start, first.signal), shared.run("a", start, second.signal)];
    const settled = Promise.allSettled(calls);
    first.abort(new Error("first"));
    await assert.rejects(calls[0]!, /first/);
    assert.equal(started[0]!.signal.aborted, false);
    second.abort(new Error("second"));
    await settled;
    assert.equal(started[0]!.signal.aborted, true);
    // A later caller starts the work, and does not join what was given up.
    const later = shared.run("a", start);
    started[0]!.reject(new Error("given up"));
    started[1]!.resolve("done");
    assert.equal(await later, "done");
  });

  it("fails for all callers, and does not keep the failure", async () => {
    const { started, start } = work();
    const shared = new SharedWork<string>();
    const calls = [shared.run("a", start), shared.run("a", start)];
    started[0]!.reject(new Error("broken"));
    for (const call of calls) await assert.rejects(call, /broken/);
    const again = shared.run("a", start);
    started[1]!.resolve("fine");
    assert.equal(await again, "fine");
  });
});
