import { strict as assert } from "node:assert";
import { InputError } from "../../lib/errors/input-error.ts";

describe("InputError", () => {
  it("is one line, whatever names it quotes", () => {
    assert.equal(new InputError('no tensor "a\nb\u001b[31m"').message, 'no tensor "a\\x0ab\\x1b[31m"');
  });
});
