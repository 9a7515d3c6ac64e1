import { strict as assert } from "node:assert";
import { InputError } from "../../lib/errors/input-error.ts";

describe("InputError", () => {
  it("is one line, whatever names it quotes", () => {
    assert.equal(new InputError('no tensor "a\nb\u001b[31m"').message, 'no tensor "a\\x0ab\\x1b[31m"');
    assert.deepEqual(new InputError("tensors", ["a\nb"]).details, ["a\\x0ab"]);
  });

  it("keeps the start and the end of an endless line", () => {
    const { message, details } = new InputError(`a.pt: ${"x".repeat(5000)}; save it again`, [
      "y".repeat(5000),
    ]);
    assert.equal(message.length, 1000);
    assert.match(message, /^a\.pt: x+…x+; save it again$/);
    assert.equal(details[0]?.length, 1000);
  });
});
