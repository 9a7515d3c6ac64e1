import assert from "node:assert/strict";
import { found } from "../../lib/errors/found.ts";

describe("found", () => {
  const cases: [value: unknown, expected: string][] = [
    ["a cat", 'the text "a cat"'],
    ["x".repeat(50), `the text "${"x".repeat(40)}…"`],
    [1.5, "the number 1.5"],
    [NaN, "the number NaN"],
    [2n, "the number 2"],
    [true, "true"],
    [undefined, "undefined"],
    [null, "null"],
    [[], "an empty list"],
    [[1, 2], "a list of 2"],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [new Int32Array(2), "an Int32Array"],
    [new Map(), "a Map"],
    [Promise.resolve(), "a Promise; await it"],
    [Math.max, "a function"],
  ];
  for (const [value, expected] of cases) {
    it(expected, () => {
      assert.equal(found(value), expected);
    });
  }
});
