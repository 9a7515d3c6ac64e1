import { strict as assert } from "node:assert";
import { add, memory, scalar, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { pass, tap, tapOwned, withTaps } from "../../lib/tensor/taps.ts";

const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

function recorder(): { names: string[]; sink: (name: string, value: Tensor) => void } {
  const names: string[] = [];
  return { names, sink: (name, value) => names.push(`${name}=${value.dataSync().join()}`) };
}

function emit(name: string, number = 0): void {
  tidy(() => {
    tap(name, scalar(number));
  });
}

describe("taps", () => {
  it("reach the sink in scope, and nobody without one", () => {
    const { names, sink } = recorder();
    emit("before");
    withTaps(sink, () => {
      emit("a", 1);
      emit("b", 2);
    });
    emit("after");
    assert.deepEqual(names, ["a=1", "b=2"]);
  });

  it("the inner of two sinks receives alone", () => {
    const outer = recorder();
    const inner = recorder();
    withTaps(outer.sink, () => {
      withTaps(inner.sink, () => {
        emit("inside");
      });
      emit("outside");
    });
    assert.deepEqual([outer.names, inner.names], [["outside=0"], ["inside=0"]]);
  });

  it("leave a value as it is, unless a patch puts another in its place; nothing is left behind", () => {
    const before = memory().numTensors;
    const { names, sink } = recorder();
    const patch = (name: string, value: Tensor): Tensor | null => (name === "b" ? add(value, 10) : null);
    const result = withTaps(sink, () => tidy(() => add(tap("a", scalar(1)), tap("b", scalar(2)))), patch);
    assert.deepEqual([names, result.dataSync()[0]], [["a=1", "b=2"], 13]);
    result.dispose();
    const owned = withTaps(sink, () => tapOwned("b", scalar(3)), patch);
    assert.equal(owned.dataSync()[0], 13);
    owned.dispose();
    assert.equal(memory().numTensors, before);
  });
});

describe("passes", () => {
  const slowPass = (name: string): Promise<string> =>
    pass(async () => {
      emit(`${name} begins`);
      await wait(2);
      emit(`${name} ends`);
      return name;
    });

  it("run one after another and keep their callers' sinks apart across awaits", async () => {
    const one = recorder();
    const two = recorder();
    const results = await Promise.all([
      withTaps(one.sink, () => slowPass("one")),
      slowPass("nobody's"),
      withTaps(two.sink, async () => {
        await wait(1);
        return slowPass("two");
      }),
    ]);
    assert.deepEqual(results, ["one", "nobody's", "two"]);
    assert.deepEqual(one.names, ["one begins=0", "one ends=0"]);
    assert.deepEqual(two.names, ["two begins=0", "two ends=0"]);
  });

  it("leave no sink behind", async () => {
    const { names, sink } = recorder();
    await withTaps(sink, () => slowPass("one"));
    emit("after");
    assert.deepEqual(names, ["one begins=0", "one ends=0"]);
  });

  it("a failure reaches its caller and does not stop the next", async () => {
    const failed = pass(() => Promise.reject(new Error("no weights")));
    const next = slowPass("next");
    await assert.rejects(failed, /no weights/);
    assert.equal(await next, "next");
  });
});
