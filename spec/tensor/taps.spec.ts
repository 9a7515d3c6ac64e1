import { strict as assert } from "node:assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as wait } from "node:timers/promises";
import {
  add,
  cast,
  keep,
  memory,
  scalar,
  tensor1d,
  tidy,
  type Scalar,
  type Tensor,
} from "@tensorflow/tfjs-core";
import {
  observerInScope,
  OverlappingScope,
  pass,
  readTap,
  setTapScope,
  settleTaps,
  tap,
  tapOwned,
  withTaps,
  type Patch,
} from "../../lib/tensor/taps.ts";

interface Recorder {
  readonly taps: string[];
  readonly sink: (name: string, value: Tensor) => void;
}

function recorder(): Recorder {
  const taps: string[] = [];
  return { taps, sink: (name, value) => taps.push(`${name}=${value.dataSync().join()}`) };
}

function emit(name: string, number = 0): void {
  tidy(() => {
    tap(name, scalar(number));
  });
}

/** A pass that emits before and after an await. */
const slowPass = (name: string): Promise<string> =>
  pass(async () => {
    emit(`${name} begins`);
    await wait(2);
    emit(`${name} ends`);
    return name;
  });

const tapsOfSlowPass = (name: string): string[] => [`${name} begins=0`, `${name} ends=0`];

describe("withTaps", () => {
  it("gives the sink what is tapped inside the call, and nothing else", () => {
    const { taps, sink } = recorder();
    emit("before");
    withTaps(sink, () => {
      emit("a", 1);
      emit("b", 2);
    });
    emit("after");
    assert.deepEqual(taps, ["a=1", "b=2"]);
  });

  it("gives taps inside nested sinks only to the inner one", () => {
    const outer = recorder();
    const inner = recorder();
    withTaps(outer.sink, () => {
      withTaps(inner.sink, () => {
        emit("inside");
      });
      emit("outside");
    });
    assert.deepEqual([outer.taps, inner.taps], [["outside=0"], ["inside=0"]]);
  });

  it("removes the sink when the call throws", () => {
    const { taps, sink } = recorder();
    assert.throws(() => {
      withTaps(sink, () => {
        throw new Error("no weights");
      });
    }, /no weights/);
    emit("after");
    assert.deepEqual(taps, []);
  });
});

describe("tap and tapOwned", () => {
  it("return the value, or the replacement of a patch that has seen it", () => {
    const before = memory().numTensors;
    const { taps, sink } = recorder();
    const patch = (name: string, value: Tensor): Tensor | null => (name === "b" ? add(value, 10) : null);
    const result = withTaps(sink, () => tidy(() => add(tap("a", scalar(1)), tap("b", scalar(2)))), patch);
    assert.deepEqual([taps, result.dataSync()[0]], [["a=1", "b=2"], 13]);
    result.dispose();
    const owned = withTaps(sink, () => tapOwned("b", scalar(3)), patch);
    assert.equal(owned.dataSync()[0], 13);
    owned.dispose();
    assert.equal(memory().numTensors, before);
  });

  it("free the value when the sink throws", () => {
    const before = memory().numTensors;
    const sink = (): void => {
      throw new Error("the sink is full");
    };
    assert.throws(() => withTaps(sink, () => tapOwned("a", scalar(1))), /the sink is full/);
    assert.throws(() => {
      withTaps(sink, () => {
        emit("a");
      });
    }, /the sink is full/);
    assert.equal(memory().numTensors, before);
  });
});

describe("pass", () => {
  it("runs passes one after another, each with the sink of its caller", async () => {
    const one = recorder();
    const two = recorder();
    const results = await Promise.all([
      withTaps(one.sink, () => slowPass("one")),
      slowPass("unobserved"),
      withTaps(two.sink, async () => {
        await wait(1);
        return slowPass("two");
      }),
    ]);
    assert.deepEqual(results, ["one", "unobserved", "two"]);
    assert.deepEqual(one.taps, tapsOfSlowPass("one"));
    assert.deepEqual(two.taps, tapsOfSlowPass("two"));
  });

  it("removes the sink at its end", async () => {
    const { taps, sink } = recorder();
    await withTaps(sink, () => slowPass("one"));
    emit("after");
    assert.deepEqual(taps, tapsOfSlowPass("one"));
  });

  it("hands a failure to its caller and runs the next pass", async () => {
    const failed = pass(() => Promise.reject(new Error("no weights")));
    const next = slowPass("next");
    await assert.rejects(failed, /no weights/);
    assert.equal(await next, "next");
  });
});

describe("an asynchronous sink", () => {
  let before: number;
  beforeEach(() => {
    before = memory().numTensors;
  });
  afterEach("no tensor is left", () => {
    assert.equal(memory().numTensors, before);
  });

  it("reads a value that the pass disposes meanwhile", async () => {
    const read: Record<string, number[]> = {};
    await withTaps(
      async (name, value) => {
        const numbers = readTap(value);
        await wait(1);
        assert.ok(value.isDisposed);
        read[name] = [...(await numbers)];
      },
      () =>
        pass(async () => {
          emit("a", 1);
          await wait(0);
          emit("b", 2);
        }),
    );
    assert.deepEqual(read, { a: [1], b: [2] });
  });

  it("is finished when the pass ends", async () => {
    const done: string[] = [];
    const sink = async (name: string): Promise<void> => {
      await wait(3);
      done.push(name);
    };
    await withTaps(sink, () => slowPass("one"));
    assert.deepEqual(done, ["one begins", "one ends"]);
  });

  it("is finished after settleTaps, so that its values are freed", async () => {
    const sink = async (_: string, value: Tensor): Promise<void> => {
      const kept = keep(value.clone());
      await wait(1);
      kept.dispose();
    };
    await withTaps(sink, () =>
      pass(async () => {
        for (const name of ["a", "b"]) {
          emit(name);
          assert.equal(memory().numTensors, before + 1);
          await settleTaps();
          assert.equal(memory().numTensors, before);
        }
      }),
    );
  });

  it("fails the pass with its first error, and its other promises are awaited", async () => {
    const done: string[] = [];
    const sink = async (name: string, value: Tensor): Promise<void> => {
      await readTap(value);
      if (name === "b") throw new Error("the sink is full");
      await wait(3);
      done.push(name);
    };
    const failing = withTaps(sink, () =>
      pass(() => {
        for (const name of ["a", "b", "c"]) emit(name);
        return Promise.resolve(scalar(1)); // disposed by the pass
      }),
    );
    await assert.rejects(failing, /the sink is full/);
    assert.deepEqual(done, ["a", "c"]);
    assert.equal(await slowPass("next"), "next");
  });

  it("is finished when the pass itself fails", async () => {
    const done: string[] = [];
    const sink = async (name: string, value: Tensor): Promise<void> => {
      await readTap(value);
      await wait(2);
      done.push(name);
      throw new Error("not reported, because the pass has failed already");
    };
    const failing = withTaps(sink, () =>
      pass(() => {
        emit("a");
        return Promise.reject(new Error("no weights"));
      }),
    );
    await assert.rejects(failing, /no weights/);
    assert.deepEqual(done, ["a"]);
  });

  it("may have its values patched", async () => {
    const read: number[] = [];
    const result = await withTaps(
      async (_, value) => {
        read.push(...(await readTap(value)));
      },
      () => pass(() => Promise.resolve(tidy(() => add<Scalar>(tap("a", scalar(1)), 1)))),
      (_, value) => add(value, 10),
    );
    assert.deepEqual([read, result.dataSync()[0]], [[1], 12]);
    result.dispose();
  });
});

// Browsers have no AsyncLocalStorage.
describe("OverlappingScope", () => {
  before(() => {
    setTapScope(new OverlappingScope());
  });
  after(() => {
    setTapScope(new AsyncLocalStorage());
  });

  it("keeps the sink of a call across its awaits", async () => {
    const { taps, sink } = recorder();
    await withTaps(sink, async () => {
      await wait(2);
      await slowPass("one");
      await slowPass("two");
    });
    await slowPass("after");
    assert.deepEqual(taps, [...tapsOfSlowPass("one"), ...tapsOfSlowPass("two")]);
  });

  it("removes the sink of a call that fails", async () => {
    const { taps, sink } = recorder();
    const failing = withTaps(sink, async () => {
      await wait(1);
      throw new Error("no weights");
    });
    await assert.rejects(failing, /no weights/);
    assert.throws(() => {
      withTaps(sink, () => {
        throw new Error("at once");
      });
    }, /at once/);
    await slowPass("after");
    assert.deepEqual(taps, []);
  });

  it("gives overlapping calls their own sinks if the pass begins at once", async () => {
    const one = recorder();
    const two = recorder();
    await Promise.all([withTaps(one.sink, () => slowPass("one")), withTaps(two.sink, () => slowPass("two"))]);
    assert.deepEqual([one.taps, two.taps], [tapsOfSlowPass("one"), tapsOfSlowPass("two")]);
  });

  it("returns to the sink of an earlier call when a later one is done", async () => {
    const one = recorder();
    const two = recorder();
    const first = withTaps(one.sink, async () => {
      await wait(15);
      return slowPass("one");
    });
    await withTaps(two.sink, () => slowPass("two"));
    await first;
    assert.deepEqual([one.taps, two.taps], [tapsOfSlowPass("one"), tapsOfSlowPass("two")]);
  });

  it("keeps the sink of a later call when an earlier one is done", async () => {
    const one = recorder();
    const two = recorder();
    const first = withTaps(one.sink, () => slowPass("one"));
    const second = withTaps(two.sink, async () => {
      await first;
      return slowPass("two");
    });
    await second;
    await slowPass("after");
    assert.deepEqual([one.taps, two.taps], [tapsOfSlowPass("one"), tapsOfSlowPass("two")]);
  });

  it("lets a call that awaits first hand its own observer to the pass", async () => {
    const one = recorder();
    const two = recorder();
    const first = withTaps(one.sink, async () => {
      const observer = observerInScope();
      await wait(1); // the second call begins meanwhile
      return pass(() => {
        emit("one");
        return Promise.resolve();
      }, observer);
    });
    const second = withTaps(two.sink, async () => {
      await wait(5);
      return slowPass("two");
    });
    await Promise.all([first, second]);
    assert.deepEqual([one.taps, two.taps], [["one=0"], tapsOfSlowPass("two")]);
  });
});

describe("a sink", () => {
  const emits = (): Promise<number> =>
    pass(async () => {
      emit("a", 1);
      await wait(1);
      emit("b", 2);
      return 3;
    });

  it("that throws, at once or later, fails its pass alone", async () => {
    const before = memory().numTensors;
    const failing = {
      "at once": () => {
        throw new Error("the sink is full");
      },
      later: async () => {
        await wait(3);
        throw new Error("the sink is full");
      },
      // A promise of another library.
      thenable: () => ({
        then: (_: unknown, reject: (error: Error) => void) => {
          reject(new Error("the sink is full"));
        },
      }),
    };
    for (const [when, sink] of Object.entries(failing)) {
      const other = emits();
      await assert.rejects(withTaps(sink, emits), /the sink is full/, when);
      assert.equal(await other, 3);
    }
    assert.equal(memory().numTensors, before);
  });

  it("cannot start a pass, at once or later, which would wait for itself", async () => {
    const message =
      "a tap sink cannot start a pass or dispose a model, which would wait for the pass that it observes; do it after the pass";
    const sinks = [
      () => emits(),
      async (_: string, value: Tensor) => {
        await readTap(value);
        await emits();
      },
      async (_: string, value: Tensor) => {
        await readTap(value);
        await withTaps(() => undefined, emits);
      },
    ];
    for (const sink of sinks) await assert.rejects(withTaps(sink, emits), { name: "InputError", message });
  });

  it("can start something that runs a pass after its own", async () => {
    const later: Promise<number>[] = [];
    const sink = (name: string): void => {
      if (name === "a")
        later.push(
          wait(2)
            .then(() => first)
            .then(emits),
        );
    };
    const first: Promise<number> = withTaps(sink, emits);
    assert.deepEqual([await first, await later[0]], [3, 3]);
  });

  it("outside of a pass does not hide its rejection", async () => {
    const rejections: unknown[] = [];
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (reason) => rejections.push(reason));
    const error = new Error("the sink is full");
    withTaps(
      () => Promise.reject(error),
      () => {
        emit("a");
      },
    );
    await wait(5);
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
    assert.deepEqual(rejections, [error]);
  });
});

describe("a patch", () => {
  const disposedTensor = (): Tensor => {
    const tensor = scalar(1);
    tensor.dispose();
    return tensor;
  };
  const refused: [patch: (value: Tensor) => unknown, found: string][] = [
    [() => tensor1d([1, 2]), "float32 [2]"],
    [(value) => cast(value, "int32"), "int32 []"],
    [() => 5, "the number 5"],
    [() => Promise.resolve(scalar(1)), "a Promise; await it"],
    [disposedTensor, "a disposed tensor"],
  ];
  for (const [patch, found] of refused) {
    it(`that returns ${found} is refused`, async () => {
      const kept = keep(scalar(1));
      const before = memory().numTensors;
      const run = (): Promise<void> =>
        pass(() => {
          tapOwned("visual", kept.clone());
          return Promise.resolve();
        });
      await assert.rejects(
        withTaps(() => undefined, run, ((_, value) => patch(value)) as Patch),
        {
          name: "InputError",
          message: `the patch of "visual": expected null or a tensor of float32 [], found ${found}`,
        },
      );
      assert.equal(memory().numTensors, before);
      kept.dispose();
    });
  }
});

describe("withTaps", () => {
  const run = (): void => undefined;
  const refused: [sink: unknown, run: unknown, patch: unknown, message: string][] = [
    [undefined, run, undefined, "a function that receives each tap first, found undefined"],
    [
      run,
      Promise.resolve(),
      undefined,
      "a function that starts the passes second, as in () => model.encodeImage(pixels), found a Promise; await it",
    ],
    [run, run, {}, "a function that returns replacements third, found an object"],
  ];
  for (const [sink, start, patch, message] of refused) {
    it(`expects ${message}`, () => {
      assert.throws(() => withTaps(sink as never, start as never, patch as never), {
        name: "InputError",
        message: `withTaps: expected ${message}`,
      });
    });
  }
});
