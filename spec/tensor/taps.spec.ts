import { strict as assert } from "node:assert";
import { memory, scalar, tidy, transpose, tensor2d, type Tensor } from "@tensorflow/tfjs-core";
import { pass, tap, withTaps } from "../../lib/tensor/taps.ts";

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

  it("show a value as PyTorch lays it out, and leave no tensor behind", () => {
    const before = memory().numTensors;
    const shapes: number[][] = [];
    const value = tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    withTaps(
      (_, shown) => shapes.push(shown.shape),
      () => {
        tap("x", value, (x) => transpose(x));
      },
    );
    value.dispose();
    assert.deepEqual(shapes, [[3, 2]]);
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
