import assert from "node:assert/strict";
import { InputError } from "../../../lib/errors/input-error.ts";
import { TryAgainError } from "../../../lib/errors/try-again-error.ts";
import { unwritable } from "../../../lib/node/files/output-path.ts";
import { asTryAgain } from "../../../lib/node/retrieval/try-again.ts";

const systemError = (code: string): Error => Object.assign(new Error(code), { code, syscall: "write" });

describe("asTryAgain", () => {
  for (const code of ["ENOSPC", "EDQUOT", "EIO", "ESTALE", "EMFILE"]) {
    it(`${code} may pass, also as the cause of an InputError`, () => {
      assert.ok(asTryAgain(systemError(code)) instanceof TryAgainError);
      const error = asTryAgain(unwritable("x.npy", systemError(code)));
      assert.ok(error instanceof TryAgainError);
      assert.match(error.message, /^x\.npy: /);
    });
  }

  it("others do not", () => {
    for (const error of [systemError("EACCES"), new InputError("wrong"), new Error("bug"), "text"])
      assert.equal(asTryAgain(error), error);
  });
});
