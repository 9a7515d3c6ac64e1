import assert from "node:assert/strict";
import { compareTraces, type TapDifference } from "../../lib/trace/compare-traces.ts";
import { JoinedTrace } from "../../lib/trace/joined-trace.ts";
import { MemoryTrace } from "../../lib/trace/memory-trace.ts";

type Tap = readonly [name: string, shape: readonly number[], values: readonly number[]];

function traceOf(...taps: readonly Tap[]): MemoryTrace {
  const trace = new MemoryTrace();
  for (const [name, shape, values] of taps) trace.add(name, shape, Float32Array.from(values));
  return trace;
}

async function differences(a: MemoryTrace, b: MemoryTrace): Promise<TapDifference[]> {
  const found: TapDifference[] = [];
  for await (const difference of compareTraces(a, b)) found.push(difference);
  return found;
}

describe("compareTraces", () => {
  it("measures A against B, and where they differ most", async () => {
    const [tap] = await differences(
      traceOf(["x", [1, 2, 2], [3, 4, 0, 5]]),
      traceOf(["x", [1, 2, 2], [3, 4, 0, 0]]),
    );
    assert.deepEqual(tap, {
      name: "x",
      shapes: [
        [1, 2, 2],
        [1, 2, 2],
      ],
      relativeL2: 1, // ‖(0, 0, 0, 5)‖ / ‖(3, 4, 0, 0)‖
      cosine: 25 / Math.sqrt(50 * 25),
      maxAbs: 5,
      worst: [0, 1, 1],
    });
  });

  it("has no figures for other shapes, for taps of one side, and for numbers that are not finite", async () => {
    const found = await differences(
      traceOf(["short", [1, 2], [1, 2]], ["a", [1], [1]], ["nan", [1], [NaN]]),
      traceOf(["short", [1, 3], [1, 2, 3]], ["nan", [1], [1]], ["b", [1], [1]]),
    );
    assert.deepEqual(
      found.map(({ name, shapes, relativeL2 }) => [name, ...shapes, relativeL2]),
      [
        ["short", [1, 2], [1, 3], null],
        ["a", [1], null, null],
        ["nan", [1], [1], null],
        ["b", null, [1], null],
      ],
    );
  });

  it("ends between taps when it is aborted", async () => {
    const controller = new AbortController();
    const trace = traceOf(["x", [1], [1]], ["y", [1], [1]]);
    const names: string[] = [];
    await assert.rejects(async () => {
      for await (const { name } of compareTraces(trace, trace, controller.signal)) {
        names.push(name);
        controller.abort();
      }
    }, /abort/i);
    assert.deepEqual(names, ["x"]);
  });
});

describe("JoinedTrace", () => {
  it("has the taps of all traces, and reads each from the first that has it", async () => {
    const joined = new JoinedTrace([traceOf(["x", [2], [1, 2]]), traceOf(["y", [1], [3]], ["x", [1], [9]])]);
    assert.deepEqual(joined.taps, [
      { name: "x", shape: [2] },
      { name: "y", shape: [1] },
    ]);
    assert.deepEqual([...(await joined.read("x", 1, 1)), ...(await joined.read("y"))], [2, 3]);
    assert.equal((await joined.summary("x")).max, 2);
    await assert.rejects(joined.read("z"), /the trace has no tap "z"/);
  });
});
