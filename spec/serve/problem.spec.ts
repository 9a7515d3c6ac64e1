import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input-error.ts";
import { Problem, problemOf } from "../../lib/serve/problem.ts";
import { QueueFullError } from "../../lib/tasks/batch-queue.ts";

describe("problemOf", () => {
  it("tells a client about its own errors, and of a full queue when to come back", () => {
    const own = new Problem(404, "no such index");
    assert.equal(problemOf(own), own);
    const input = problemOf(new InputError("where: wrong", ["a = ", "    ^"]));
    assert.deepEqual([input.status, input.message], [400, "where: wrong\na = \n    ^"]);
    const full = problemOf(new QueueFullError("full"));
    assert.deepEqual([full.status, full.headers], [503, { "Retry-After": "1" }]);
  });

  it("tells nothing about others", () => {
    const error = new Error("/home/someone/secret");
    assert.throws(() => problemOf(error), error);
  });
});
