import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input-error.ts";
import { parseOptions } from "../../bench/options.ts";

describe("the benchmark's arguments", () => {
  it("accept comma-separated lists", () => {
    const options = parseOptions([
      "--only",
      "towers,load",
      "--backend",
      "tensorflow,wasm",
      "--batch",
      "1,16",
    ]);
    assert.deepEqual(options?.only, ["towers", "load"]);
    assert.deepEqual(options.backend, ["tensorflow", "wasm"]);
    assert.deepEqual(options.batch, [1, 16]);
  });

  it("are refused with one line that names the mistake", () => {
    const refused: [string[], RegExp][] = [
      [["--only", "tower"], /Unknown section "tower", expected towers, precision, text, growth/],
      [["--batch", "1,many"], /whole number above 0, found "many"/],
      [["--repeats", "0"], /whole number above 0, found "0"/],
      [["--backend", "gpu"], /unknown backend "gpu"/],
      [["--model", "folder", "--blocks", "2"], /cannot be used with/],
      [["--fast"], /unknown option '--fast'/],
    ];
    for (const [args, message] of refused) {
      assert.throws(
        () => parseOptions(args),
        (error) =>
          error instanceof InputError && message.test(error.message) && !error.message.includes("\n"),
        args.join(" "),
      );
    }
  });
});
